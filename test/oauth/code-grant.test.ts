import { decodeJwt } from 'jose'
import t from 'tap'
import { memoryStore } from '../../lib/stores/memory.js'
import { StoreUnavailableError } from '../../lib/stores/errors.js'
import { failingStore } from '../helpers/failing-store.js'
import {
  addClient, authorize, buildContext, exchange, LIFETIMES, REDIRECT, refresh, RESOURCE, START, VERIFIER,
  type ContextInput
} from '../helpers/token-context.js'

async function withCode (input: ContextInput = {}) {
  const context = buildContext(input)
  const { client } = await addClient(context)
  const { code, grantId } = await authorize(context, client.clientId)
  return { context, code, grantId, good: { client_id: client.clientId, code } }
}

const refused = (promise: Promise<unknown>) => promise.then(
  () => { throw new Error('it was not refused') }, (error: unknown) => error)

t.test('a code gives tokens for what the user granted', async (t) => {
  const { context, good, grantId } = await withCode()

  const { tokens, event } = await exchange(context, { ...good, redirect_uri: REDIRECT, resource: RESOURCE })

  t.match(tokens, { token_type: 'Bearer', expires_in: 900, scope: 'notes:read notes:write' })
  t.match(tokens.refresh_token, new RegExp(`^${grantId}`))
  t.match(decodeJwt(tokens.access_token), { sub: 'alice', aud: RESOURCE, client_id: good.client_id, grant_id: grantId })
  t.match(event, {
    type: 'token.issued',
    operation: 'authorization_code',
    subject: 'alice',
    clientId: good.client_id,
    grantId,
    resource: RESOURCE,
    scopesGranted: ['notes:read', 'notes:write']
  })
})

t.test('what only the way back to the client needed is not kept with the grant', async (t) => {
  const { context, good, grantId } = await withCode()
  t.match(await context.grants.find(grantId, START), { state: 'a state' })

  await exchange(context, good)

  t.match(await context.grants.find(grantId, START), { state: null })
})

const failures: Readonly<Record<string, readonly [Readonly<Record<string, string>>, string]>> = {
  'a wrong verifier': [{ code_verifier: 'x'.repeat(43) }, 'invalid_grant'],
  'a verifier of 42 characters': [{ code_verifier: VERIFIER.slice(0, 42) }, 'invalid_grant'],
  'the challenge as the verifier': [{ code_verifier: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM' }, 'invalid_grant'],
  'another redirect_uri': [{ redirect_uri: 'http://127.0.0.1:9/callback' }, 'invalid_grant'],
  'a redirect_uri on another port': [{ redirect_uri: 'http://127.0.0.1:4712/callback' }, 'invalid_grant'],
  'the beginning of the redirect_uri': [{ redirect_uri: REDIRECT.slice(0, -1) }, 'invalid_grant'],
  'a redirect_uri with a slash more': [{ redirect_uri: `${REDIRECT}/` }, 'invalid_grant'],
  'another resource': [{ resource: 'https://evil.example/' }, 'invalid_target']
}

for (const [name, [members, code]] of Object.entries(failures)) {
  t.test(`${name} is refused as ${code}, told with the grant, and does not consume the code`, async (t) => {
    const { context, good, grantId } = await withCode()

    const error = await refused(exchange(context, { ...good, ...members }))

    t.match(error, { code, events: [{ type: 'token.refused', grantId, operation: 'authorization_code' }] })
    t.ok((await exchange(context, good)).tokens.access_token)
  })
}

t.test('a code of another client is refused and not consumed', async (t) => {
  const { context, good } = await withCode()
  const { client } = await addClient(context)

  await t.rejects(exchange(context, { ...good, client_id: client.clientId }), { code: 'invalid_grant' })
  t.ok((await exchange(context, good)).tokens.access_token)
})

t.test('what is not a code is refused', async (t) => {
  const { context, good, grantId, code } = await withCode()
  const { code: other } = await authorize(context, good.client_id)

  const mixed = `${grantId}.${other.slice(23)}`
  for (const wrong of ['x', '.', grantId, `${grantId}.`, `${code}A`, code.slice(0, -1), mixed, 'x'.repeat(1024)]) {
    await t.rejects(exchange(context, { ...good, code: wrong }), { code: 'invalid_grant' })
  }
})

t.test('the handle of the consent page is not a code', async (t) => {
  const { context, good } = await withCode()
  const { handle } = await context.grants.request({
    clientId: good.client_id,
    subject: 'alice',
    redirectUri: REDIRECT,
    resource: RESOURCE,
    scopes: ['notes:read'],
    state: null,
    codeChallenge: 'x',
    authenticatedAt: START,
    acr: null,
    amr: []
  }, START)

  await t.rejects(exchange(context, { ...good, code: handle }), { code: 'invalid_grant' })
})

t.test('a code is good until its last second', async (t) => {
  const { context, good } = await withCode()

  await t.rejects(exchange(context, good, START + LIFETIMES.code), { code: 'invalid_grant' })
  t.ok((await exchange(context, good, START + LIFETIMES.code - 1)).tokens.access_token)
})

t.test('a client that did not register to refresh gets no refresh token, and its grant ends with its token', async (t) => {
  const context = buildContext()
  const { client } = await addClient(context, { grant_types: ['authorization_code'] })
  const { code, grantId } = await authorize(context, client.clientId)

  const { tokens } = await exchange(context, { client_id: client.clientId, code })

  t.notOk(Object.hasOwn(tokens, 'refresh_token'))
  t.equal(await context.grants.isLive(grantId, START + 899), true)
  t.equal(await context.grants.isLive(grantId, START + 900), false)
})

t.test('of twenty identical exchanges at once exactly one succeeds, and its tokens stay good', async (t) => {
  const { context, good, grantId } = await withCode()

  const all = await Promise.allSettled(Array.from({ length: 20 }, () => exchange(context, good)))

  t.equal(all.filter(({ status }) => status === 'fulfilled').length, 1)
  t.match(all.filter(({ status }) => status === 'rejected'), Array(19).fill({ reason: { code: 'invalid_grant' } }))
  t.equal(await context.grants.isLive(grantId, START), true)
})

t.test('a repeat within five seconds is refused and revokes nothing, and the leniency is counted', async (t) => {
  const { context, good, grantId } = await withCode()
  const { tokens } = await exchange(context, good)

  const error = await refused(exchange(context, good, START + 5))

  t.match(error, { code: 'invalid_grant', events: [{ type: 'code.replayed', grantId }, { type: 'leniency.used', operation: 'codeRepeat' }] })
  t.ok((await refresh(context, { client_id: good.client_id, refresh_token: tokens.refresh_token ?? '' })).tokens)
})

t.test('a later replay revokes what the first exchange gave', async (t) => {
  const { context, good, grantId } = await withCode()
  await exchange(context, good)

  const error = await refused(exchange(context, good, START + 6))

  t.match(error, { code: 'invalid_grant', events: [{ type: 'code.replayed', grantId }, { type: 'grant.revoked', grantId }] })
  t.equal(await context.grants.isLive(grantId, START + 6), false)
})

t.test('without the leniency the first repeat revokes', async (t) => {
  const { context, good, grantId } = await withCode({ leniencies: { codeRepeat: false } })
  await exchange(context, good)

  await t.rejects(exchange(context, good), { code: 'invalid_grant' })
  t.equal(await context.grants.isLive(grantId, START), false)
})

t.test('a replay without the verifier, or by another client, revokes nothing', async (t) => {
  const { context, good, grantId } = await withCode()
  await exchange(context, good)
  const { client } = await addClient(context)

  await t.rejects(exchange(context, { ...good, code_verifier: 'x'.repeat(43) }, START + 50), { code: 'invalid_grant' })
  await t.rejects(exchange(context, { ...good, client_id: client.clientId }, START + 50), { code: 'invalid_grant' })
  t.equal(await context.grants.isLive(grantId, START + 50), true)
})

t.test('a code whose grant is revoked during the exchange gives nothing', async (t) => {
  const records = memoryStore()
  const { context, good, grantId } = await withCode({
    records: {
      ...records,
      async replace (record, now) {
        const { status } = JSON.parse(record.body)
        if (status === 'active') await records.remove(record, now)
        return await records.replace(record, now)
      }
    }
  })

  await t.rejects(exchange(context, good), { code: 'invalid_grant', reason: 'unknown or expired code' })
  t.equal(await context.grants.find(grantId, START), null)
})

t.test('a store that fails before the exchange is committed loses nothing', async (t) => {
  const records = failingStore(memoryStore())
  const { context, good } = await withCode({ records })
  records.failOnce('replace', 'before')

  await t.rejects(exchange(context, good), StoreUnavailableError)
  t.ok((await exchange(context, good)).tokens.access_token)
})

t.test('a crash after the exchange is committed gave nobody a token, and the code stays used', async (t) => {
  const records = failingStore(memoryStore())
  const { context, good } = await withCode({ records })
  records.failOnce('replace', 'after')

  await t.rejects(exchange(context, good), StoreUnavailableError)
  await t.rejects(exchange(context, good), { code: 'invalid_grant' })
})

t.test('the store holds no token, code or verifier', async (t) => {
  const { context, good, grantId } = await withCode()
  const { tokens } = await exchange(context, good)

  const { body = '' } = await context.records.get({ tenant: 'default', kind: 'grant', id: grantId }, START) ?? {}
  const parts = [good.code, tokens.refresh_token ?? '', tokens.access_token].flatMap((token) => token.split('.'))
  for (const part of [VERIFIER, ...parts]) {
    if (part !== grantId) t.notOk(body.includes(part))
  }
})
