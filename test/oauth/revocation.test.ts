import t from 'tap'
import { revokeToken } from '../../lib/oauth/revocation.js'
import { readForm } from '../../lib/protocol/form.js'
import { StoreUnavailableError } from '../../lib/stores/errors.js'
import { memoryStore } from '../../lib/stores/memory.js'
import type { AccessTokenFormat } from '../../types/oauth.js'
import { failingStore } from '../helpers/failing-store.js'
import { addClient, authorize, buildContext, formOf, openFamily, refresh, START } from '../helpers/token-context.js'

async function withFamily (records = memoryStore(), accessTokenFormat: AccessTokenFormat = 'jwt') {
  const context = buildContext({ records, accessTokenFormat })
  const family = await openFamily(context)
  return {
    context,
    ...family,
    revoke: (token: string, members: Readonly<Record<string, string>> = {}, now = START) => revokeToken({
      form: formOf({ client_id: family.clientId, token, ...members }),
      authorization: undefined,
      proofs: [],
      certificate: null
    }, context, now),
    isLive: (now = START) => context.grants.isLive(family.grantId, now)
  }
}

t.test('a refresh token takes its whole grant with it', async (t) => {
  const { context, clientId, refreshToken, grantId, revoke, isLive } = await withFamily()

  const event = await revoke(refreshToken)

  t.match(event, { type: 'grant.revoked', grantId, clientId, subject: 'alice' })
  t.equal(await isLive(), false)
  await t.rejects(refresh(context, { client_id: clientId, refresh_token: refreshToken }), { code: 'invalid_grant' })
})

t.test('so does an access token, expired or not', async (t) => {
  const fresh = await withFamily()
  const late = await withFamily()

  t.equal((await fresh.revoke(fresh.accessToken)).type, 'grant.revoked')
  t.equal((await late.revoke(late.accessToken, {}, START + 5000)).type, 'grant.revoked')
  t.equal(await fresh.isLive(), false)
  t.equal(await late.isLive(START + 5000), false)
})

t.test('so does an opaque access token, expired, dropped or not', async (t) => {
  for (const [refreshes, now] of [[0, START], [20, START], [1, START + 5000]] as const) {
    const { context, clientId, accessToken, revoke, isLive, ...family } = await withFamily(undefined, 'opaque')
    let { refreshToken } = family
    for (let count = 0; count < refreshes; count += 1) {
      refreshToken = (await refresh(context, { client_id: clientId, refresh_token: refreshToken }, now)).tokens.refresh_token ?? ''
    }

    t.equal((await revoke(accessToken, {}, now)).type, 'grant.revoked')
    t.equal(await isLive(now), false)
  }
})

t.test('so does a refresh token that was rotated', async (t) => {
  const { context, clientId, refreshToken, revoke, isLive } = await withFamily()
  await refresh(context, { client_id: clientId, refresh_token: refreshToken })

  t.equal((await revoke(refreshToken)).type, 'grant.revoked')
  t.equal(await isLive(), false)
})

t.test('a hint is only a hint, even a wrong or unknown one', async (t) => {
  for (const hint of ['access_token', 'refresh_token', 'pat', '']) {
    const { refreshToken, accessToken, revoke, isLive } = await withFamily()
    const token = hint === 'access_token' ? refreshToken : accessToken

    t.equal((await revoke(token, { token_type_hint: hint })).type, 'grant.revoked')
    t.equal(await isLive(), false)
  }
})

t.test('another client\'s token is left alone, and the answer is as for an unknown one', async (t) => {
  const { context, refreshToken, accessToken, grantId, revoke, isLive } = await withFamily()
  const { client } = await addClient(context)
  const theirs = { client_id: client.clientId }

  t.match(await revoke(refreshToken, theirs), {
    type: 'revocation.refused', reason: 'token of another client', grantId, clientId: client.clientId
  })
  t.equal((await revoke(accessToken, theirs)).type, 'revocation.refused')
  t.equal(await isLive(), true)
})

t.test('an unknown, forged or revoked token has no effect and is no error', async (t) => {
  const { refreshToken, accessToken, grantId, revoke, isLive } = await withFamily()
  const [, secret = '', tag = ''] = refreshToken.split('.')

  const unknown = ['x', '...', grantId, `${grantId}.${tag}.${secret}`, `${accessToken.slice(0, -6)}AAAAAA`]
  for (const token of unknown) t.match(await revoke(token), { type: 'revocation.refused', reason: 'nothing to revoke' })
  t.equal(await isLive(), true)

  await revoke(refreshToken)
  t.equal((await revoke(refreshToken)).type, 'revocation.refused')
})

t.test('of twenty revocations at once one counts', async (t) => {
  const { refreshToken, revoke } = await withFamily()

  const events = await Promise.all(Array.from({ length: 20 }, () => revoke(refreshToken)))

  t.equal(events.filter(({ type }) => type === 'grant.revoked').length, 1)
})

t.test('a code is not a token', async (t) => {
  const { context, clientId, revoke } = await withFamily()
  const { code, grantId } = await authorize(context, clientId)

  t.equal((await revoke(code)).type, 'revocation.refused')
  t.ok(await context.grants.find(grantId, START))
})

t.test('a request without a token, or with two, is refused', async (t) => {
  const { context, clientId } = await withFamily()
  const post = (text: string) =>
    revokeToken({ form: readForm(text), authorization: undefined, proofs: [], certificate: null }, context, START)

  await t.rejects(post(`client_id=${clientId}`), { code: 'invalid_request' })
  await t.rejects(post(`client_id=${clientId}&token=`), { code: 'invalid_request' })
  await t.rejects(post(`client_id=${clientId}&token=a&token=b`), { code: 'invalid_request' })
  await t.rejects(post(`client_id=${clientId}&token=a&token_type_hint=a&token_type_hint=b`), { code: 'invalid_request' })
})

t.test('a caller that does not show which client it is is refused', async (t) => {
  const { refreshToken, revoke, isLive } = await withFamily()

  await t.rejects(revoke(refreshToken, { client_id: 'nobody' }), { code: 'invalid_client' })
  t.equal(await isLive(), true)
})

t.test('a store that fails is passed on, and the client may try again', async (t) => {
  const records = failingStore(memoryStore())
  const { refreshToken, revoke, isLive } = await withFamily(records)
  records.failOnce('remove', 'before')

  await t.rejects(revoke(refreshToken), StoreUnavailableError)
  t.equal(await isLive(), true)
  t.equal((await revoke(refreshToken)).type, 'grant.revoked')
})
