import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import t from 'tap'
import { writeIntrospection } from '../../lib/oauth/introspection-answer.js'
import { introspectToken } from '../../lib/oauth/introspection.js'
import { StoreUnavailableError } from '../../lib/stores/errors.js'
import { memoryStore } from '../../lib/stores/memory.js'
import { issueAccessToken } from '../../lib/tokens/access-token.js'
import { signJws } from '../../lib/tokens/jws.js'
import type { StaticClient } from '../../types/oauth.js'
import {
  addClient, authorize, buildContext, exchange, ISSUER, openFamily, refresh, requestOf, RESOURCE, START,
  type ContextInput
} from '../helpers/token-context.js'

const SECRET = 'a-secret-of-thirty-two-characters-or-more'
const STATICS: readonly StaticClient[] = [
  { clientId: 'server', secret: SECRET, tokenEndpointAuthMethod: 'client_secret_post', introspects: [RESOURCE] },
  { clientId: 'other', secret: SECRET, tokenEndpointAuthMethod: 'client_secret_post', introspects: ['https://other.example/mcp'] },
  { clientId: 'open', redirectUris: ['https://open.example/cb'] }
]

/** Tokens of a public client, and a way to ask about them. */
async function scene (input: ContextInput = {}) {
  const context = buildContext({ statics: STATICS, ...input })
  const family = await openFamily(context)
  const ask = async (token: string, clientId = 'server', now = START, members = {}) =>
    await introspectToken(requestOf({ client_id: clientId, client_secret: SECRET, token, ...members }), context, now)
  return { context, ...family, ask }
}

const INACTIVE = { active: false }

for (const accessTokenFormat of ['jwt', 'opaque'] as const) {
  t.test(`${accessTokenFormat}: a resource server learns what a token for it says (AS-I2)`, async (t) => {
    const { ask, accessToken, clientId, grantId } = await scene({ accessTokenFormat })
    const { facts, event } = await ask(accessToken)

    t.match(facts, {
      active: true,
      token_type: 'Bearer',
      iss: ISSUER,
      sub: 'alice',
      aud: RESOURCE,
      client_id: clientId,
      scope: 'notes:read notes:write',
      iat: START,
      exp: START + 900
    })
    t.strictSame(event, { type: 'introspection.answered', clientId: 'server', grantId, resource: RESOURCE })
  })

  t.test(`${accessTokenFormat}: a token is inactive as soon as it has expired or its grant has ended`, async (t) => {
    const { ask, accessToken, context, grantId } = await scene({ accessTokenFormat })

    t.equal((await ask(accessToken, 'server', START + 899)).facts.active, true)
    t.strictSame((await ask(accessToken, 'server', START + 900)).facts, INACTIVE)
    await context.grants.revoke(grantId, START)
    t.strictSame((await ask(accessToken)).facts, INACTIVE)
  })

  t.test(`${accessTokenFormat}: another resource server learns nothing (mistake 13)`, async (t) => {
    const { ask, accessToken } = await scene({ accessTokenFormat })
    const { facts, event } = await ask(accessToken, 'other')

    t.strictSame(facts, INACTIVE)
    t.strictSame(event, { type: 'introspection.refused', reason: 'token for another resource', clientId: 'other' })
  })
}

t.test('what a token is bound to is told, so that the resource server can ask for the proof', async (t) => {
  const { ask, context, grantId } = await scene()
  const grant = await context.grants.find(grantId, START)
  if (grant === null) throw new Error('the grant is gone')
  const confirmation = { jkt: 'k'.repeat(43) }
  const token = await issueAccessToken({ ...context, grant, scopes: ['s'], confirmation, expiresAt: START + 900, now: START })

  t.match((await ask(token)).facts, { active: true, token_type: 'DPoP', cnf: confirmation })
})

const KEYRING = buildContext().keyring
const made = async (claims: object, type = 'at+jwt') => await signJws({ key: KEYRING.current, type, claims })
const strangers: Readonly<Record<string, (family: { accessToken: string }) => string | Promise<string>>> = {
  'made-up text': () => 'x',
  'an access token with another signature': ({ accessToken }) => `${accessToken.slice(0, -4)}AAAA`,
  'a JWT of another type': ({ accessToken }) => made(decodeJwt(accessToken), 'token-introspection+jwt'),
  'a token of another issuer': ({ accessToken }) => made({ ...decodeJwt(accessToken), iss: 'https://evil.example' }),
  'a token without a grant': ({ accessToken }) => made({ ...decodeJwt(accessToken), grant_id: undefined }),
  'a token of a grant that there is not': ({ accessToken }) => made({ ...decodeJwt(accessToken), grant_id: 'g'.repeat(22) }),
  'a token without an audience': ({ accessToken }) => made({ ...decodeJwt(accessToken), aud: undefined }),
  'a token without an end': ({ accessToken }) => made({ ...decodeJwt(accessToken), exp: undefined })
}
for (const [what, token] of Object.entries(strangers)) {
  t.test(`${what} is inactive, and nothing else is said`, async (t) => {
    const family = await scene()

    t.strictSame((await family.ask(await token(family))).facts, INACTIVE)
  })
}

t.test('a refresh token is told to its client and to nobody else', async (t) => {
  const { ask, context } = await scene()
  const { client, secret } = await addClient(context, { token_endpoint_auth_method: 'client_secret_post' })
  const own = { client_id: client.clientId, client_secret: secret ?? '' }
  const { code } = await authorize(context, client.clientId)
  const { tokens: { refresh_token: token = '', access_token: accessToken } } = await exchange(context, { ...own, code })

  t.match((await ask(token, client.clientId, START, own)).facts, {
    active: true, client_id: client.clientId, sub: 'alice', scope: 'notes:read notes:write', exp: START + 14 * 86_400
  })
  t.equal((await ask(accessToken, client.clientId, START, own)).facts.active, true)
  t.strictSame((await ask(token)).facts, INACTIVE)
  t.strictSame((await ask(token, 'other')).facts, INACTIVE)
  await refresh(context, { ...own, refresh_token: token })
  t.strictSame((await ask(token, client.clientId, START, own)).facts, INACTIVE)
})

t.test('the refresh token of a key says so', async (t) => {
  const { ask, context, grantId, refreshToken } = await scene()
  const held = await context.grants.read(grantId, START)
  if (held === null) throw new Error('the grant is gone')
  const confirmation = { jkt: 'k'.repeat(43) }
  const { client, secret } = await addClient(context, { token_endpoint_auth_method: 'client_secret_post' })
  await context.grants.advance(held, { ...held.grant, subject: null, clientId: client.clientId, confirmation }, START)
  const own = { client_id: client.clientId, client_secret: secret ?? '' }
  const { facts } = await ask(refreshToken, client.clientId, START, own)

  t.match(facts, { active: true, cnf: confirmation })
  t.notOk(Object.hasOwn(facts, 'sub'))
})

t.test('a refresh token of a grant that has none is inactive', async (t) => {
  const { ask, context, grantId, refreshToken } = await scene()
  const held = await context.grants.read(grantId, START)
  if (held === null) throw new Error('the grant is gone')
  await context.grants.advance(held, { ...held.grant, refresh: null }, START)

  t.strictSame((await ask(refreshToken)).facts, INACTIVE)
})

t.test('a wrong hint does not matter', async (t) => {
  const { ask, accessToken } = await scene()

  t.equal((await ask(accessToken, 'server', START, { token_type_hint: 'refresh_token' })).facts.active, true)
})

const refusals: Readonly<Record<string, readonly [Readonly<Record<string, string>>, string]>> = {
  nobody: [{ client_id: '', client_secret: '' }, 'invalid_client'],
  'a wrong secret': [{ client_secret: 'x'.repeat(41) }, 'invalid_client'],
  'a public client': [{ client_id: 'open', client_secret: '' }, 'invalid_client'],
  'no token': [{ token: '' }, 'invalid_request']
}
for (const [what, [members, code]] of Object.entries(refusals)) {
  t.test(`${what} is refused as ${code} (AS-I1)`, async (t) => {
    const { ask, accessToken } = await scene()

    await t.rejects(ask(accessToken, 'server', START, members), { name: 'OAuthError', code })
  })
}

t.test('a store that cannot be reached is no answer', async (t) => {
  const records = memoryStore()
  const { accessToken } = await scene({ records })
  const down = buildContext({
    statics: STATICS, records: { ...records, get: async () => { throw new StoreUnavailableError('down') } }
  })
  const request = requestOf({ client_id: 'server', client_secret: SECRET, token: accessToken })

  await t.rejects(introspectToken(request, down, START), StoreUnavailableError)
})

t.test('an answer is signed for the one who asks, and is no token itself (RFC 9701, AS-I3)', async (t) => {
  const { ask, accessToken, context } = await scene()
  const told = await ask(accessToken)
  const { type, body } = await writeIntrospection(told, 'application/token-introspection+jwt', { context, now: START })

  t.equal(type, 'application/token-introspection+jwt')
  t.equal(decodeProtectedHeader(body).typ, 'token-introspection+jwt')
  const { payload } = await jwtVerify(body, createLocalJWKSet(JSON.parse(context.keyring.jwks)), {
    issuer: ISSUER, audience: 'server', currentDate: new Date(START * 1000)
  })
  t.strictSame(payload, { iss: ISSUER, aud: 'server', iat: START, token_introspection: told.facts })
  t.strictSame((await ask(body)).facts, INACTIVE)
})

const accepts: Readonly<Record<string, boolean>> = {
  'application/json, application/token-introspection+jwt;q=0.9': true,
  'Application/Token-Introspection+JWT': true,
  'application/token-introspection+jwt;q=0': false,
  'application/token-introspection+jwt; q=0.00': false,
  'application/json': false,
  '*/*': false
}
for (const [accept, isSigned] of Object.entries(accepts)) {
  t.test(`Accept: ${accept} ${isSigned ? 'asks' : 'does not ask'} for a signed answer`, async (t) => {
    const { ask, context } = await scene()
    const { type } = await writeIntrospection(await ask('x'), accept, { context, now: START })

    t.equal(type === 'application/token-introspection+jwt', isSigned)
  })
}

t.test('without Accept the answer is JSON', async (t) => {
  const { ask, context } = await scene()

  t.strictSame(await writeIntrospection(await ask('x'), undefined, { context, now: START }), {
    type: 'application/json; charset=utf-8', body: '{"active":false}'
  })
})
