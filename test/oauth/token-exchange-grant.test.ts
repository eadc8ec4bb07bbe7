import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose'
import t from 'tap'
import { ACCESS_TOKEN } from '../../lib/oauth/exchange-request.js'
import { assertServices, tokenExchangeGrant } from '../../lib/oauth/token-exchange-grant.js'
import { TOKEN_EXCHANGE } from '../../lib/protocol/grant-types.js'
import { issueAccessToken } from '../../lib/tokens/access-token.js'
import { findOwnToken } from '../../lib/tokens/own-token.js'
import type { AccessTokenFormat, StaticClient } from '../../types/oauth.js'
import { buildContext, ISSUER, openFamily, postToken, RESOURCE, START } from '../helpers/token-context.js'

const API = 'https://api.example/v1'
const BILLS = 'https://bills.example'
const secret = 'a-secret-of-thirty-two-characters-or-more'
const confidential = { secret, tokenEndpointAuthMethod: 'client_secret_post', grantTypes: [TOKEN_EXCHANGE] } as const
const statics: StaticClient[] = [
  ...['gateway', 'api', ...'abcdef'].map((clientId) => ({ clientId, ...confidential })),
  { clientId: 'open', grantTypes: [TOKEN_EXCHANGE] },
  { clientId: 'job', ...confidential, grantTypes: ['client_credentials'], scope: 'notes:read' }
]
const services = [
  { audience: API, clients: ['gateway', 'open', ...'abcdef'], scopes: ['notes:read', 'api:admin'] },
  { audience: BILLS, clients: ['api'], scopes: ['notes:read', 'notes:write'] }
]

const build = (accessTokenFormat: AccessTokenFormat = 'jwt') =>
  buildContext({ statics, accessTokenFormat, further: new Map([[TOKEN_EXCHANGE, tokenExchangeGrant(services)]]) })
const context = build()
const { accessToken, grantId, refreshToken } = await openFamily(context)

const ASK = {
  grant_type: TOKEN_EXCHANGE,
  client_id: 'gateway',
  client_secret: secret,
  subject_token: accessToken,
  subject_token_type: ACCESS_TOKEN,
  audience: API
}
const ask = (changes: Record<string, string> = {}, now = START, on = context) =>
  postToken(on, { ...ASK, ...changes }, now)

const own = await postToken(context, { grant_type: 'client_credentials', client_id: 'job', client_secret: secret })
const refusals: Readonly<Record<string, readonly [Record<string, string>, string]>> = {
  'no subject token': [{ subject_token: '' }, 'invalid_request'],
  'a subject token that is too long': [{ subject_token: 'x'.repeat(8193) }, 'invalid_request'],
  'no type of the subject token': [{ subject_token_type: '' }, 'invalid_request'],
  'an ID token by its type': [{ subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' }, 'invalid_request'],
  'an actor token': [{ actor_token: accessToken, actor_token_type: ACCESS_TOKEN }, 'invalid_request'],
  'the type of an actor token without one': [{ actor_token_type: ACCESS_TOKEN }, 'invalid_request'],
  'a wish for another kind of token': [{ requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }, 'invalid_request'],
  'a made-up token': [{ subject_token: 'x.y.z' }, 'invalid_request'],
  'a refresh token': [{ subject_token: refreshToken }, 'invalid_request'],
  'a token of a client that acts for itself': [{ subject_token: own.tokens.access_token }, 'invalid_request'],
  'no service': [{ audience: '' }, 'invalid_target'],
  'two services': [{ resource: BILLS }, 'invalid_target'],
  'an unknown service': [{ audience: 'https://other.example' }, 'invalid_target'],
  'a service of other clients': [{ audience: BILLS }, 'invalid_target'],
  'our own resource': [{ audience: RESOURCE }, 'invalid_target'],
  'a scope that the token has and the service may not': [{ scope: 'notes:write' }, 'invalid_scope'],
  'a scope that the service may have and the token has not': [{ scope: 'api:admin' }, 'invalid_scope'],
  'a wrong secret': [{ client_secret: secret.replace('a', 'b') }, 'invalid_client'],
  'a public client': [{ client_id: 'open', client_secret: '' }, 'unauthorized_client'],
  'a client that did not register it': [{ client_id: 'job' }, 'unauthorized_client']
}

for (const [name, [changes, code]] of Object.entries(refusals)) {
  t.test(`${name} is refused as ${code}`, async (t) => {
    await t.rejects(ask(changes), { name: 'OAuthError', code })
  })
}

t.test('a service gets a token of its own, for the same user, with less, that says who acts', async (t) => {
  const { tokens, event } = await ask({ scope: 'notes:read notes:write' })
  const { payload } = await jwtVerify(tokens.access_token, createLocalJWKSet(JSON.parse(context.keyring.jwks)), {
    typ: 'at+jwt', issuer: ISSUER, audience: API, currentDate: new Date(START * 1000)
  })

  t.match(tokens, { issued_token_type: ACCESS_TOKEN, token_type: 'Bearer', expires_in: 900, scope: 'notes:read' })
  t.notOk('refresh_token' in tokens)
  t.match(payload, { sub: 'alice', client_id: 'gateway', scope: 'notes:read', act: { sub: 'gateway' }, auth_time: START - 100, grant_id: grantId })
  t.notOk('act' in decodeJwt(accessToken))
  t.match(event, { type: 'token.issued', operation: TOKEN_EXCHANGE, subject: 'alice', clientId: 'gateway', resource: API, grantId })
})

t.test('the service can be named as a resource as well', async (t) => {
  const { audience: _, ...rest } = ASK
  t.equal(decodeJwt((await postToken(context, { ...rest, resource: API })).tokens.access_token).aud, API)
  t.equal((await ask({ resource: API, requested_token_type: 'urn:ietf:params:oauth:token-type:jwt' })).status, 200)
})

t.test('the new token is bound to what the client that asks for it has shown', async (t) => {
  const jkt = 'k'.repeat(43)
  const readSender = () => ({ confirmation: { jkt }, useProof: async () => {} })
  const { tokens } = await ask({}, START, { ...context, readSender })

  t.equal(tokens.token_type, 'DPoP')
  t.strictSame(decodeJwt(tokens.access_token).cnf, { jkt })
})

t.test('the new token ends with the old one', async (t) => {
  t.equal((await ask({}, START + 600)).tokens.expires_in, 300)
  await t.rejects(ask({}, START + 900), { code: 'invalid_request' })
})

t.test('what is revoked takes all tokens with it that it was exchanged for, and cannot be exchanged any more', async (t) => {
  const context = build()
  const { accessToken, grantId } = await openFamily(context)
  const { tokens } = await ask({ subject_token: accessToken }, START, context)
  t.match(await findOwnToken(tokens.access_token, context, START), { subject: 'alice', resource: API })

  await context.grants.revoke(grantId, START)

  t.equal(await findOwnToken(tokens.access_token, context, START), null)
  await t.rejects(ask({ subject_token: accessToken }, START, context), { code: 'invalid_request' })
})

t.test('an opaque token is exchanged for a JWT, since the service has our keys and not our store', async (t) => {
  const context = build('opaque')
  const { accessToken } = await openFamily(context)
  const { tokens } = await ask({ subject_token: accessToken }, START, context)

  t.match(accessToken, /^mcps_at_/)
  t.match(decodeJwt(tokens.access_token), { aud: API, sub: 'alice' })
})

t.test('a service that exchanges its token acts for whoever acted before', async (t) => {
  const { tokens: first } = await ask()
  const { tokens } = await ask({ client_id: 'api', audience: BILLS, subject_token: first.access_token })

  t.strictSame(decodeJwt(tokens.access_token).act, { sub: 'api', act: { sub: 'gateway' } })
  t.equal(tokens.scope, 'notes:read')
})

t.test('the chain of those who act has an end', async (t) => {
  let token = accessToken
  for (const id of 'abcde') token = (await ask({ client_id: id, subject_token: token })).tokens.access_token

  await t.rejects(ask({ client_id: 'f', subject_token: token }), { code: 'invalid_request' })
})

t.test('a token that names who may act is exchanged by nobody else', async (t) => {
  const grant = await context.grants.find(grantId, START)
  if (grant === null) throw new Error('the grant is gone')
  const tokenFor = (mayAct: { sub: string, iss?: string }) => issueAccessToken({
    ...context, grant: { ...grant, mayAct }, scopes: ['notes:read'], confirmation: null, expiresAt: START + 9, now: START
  })

  t.equal((await ask({ subject_token: await tokenFor({ sub: 'gateway' }) })).status, 200)
  t.equal((await ask({ subject_token: await tokenFor({ sub: 'gateway', iss: ISSUER }) })).status, 200)
  await t.rejects(ask({ subject_token: await tokenFor({ sub: 'api' }) }), { code: 'invalid_request' })
  const elsewhere = await tokenFor({ sub: 'gateway', iss: 'https://other.example' })
  await t.rejects(ask({ subject_token: elsewhere }), { code: 'invalid_request' })
})

const wrong = {
  'no URL': [[{ audience: 'api', clients: ['a'], scopes: ['b'] }], /^tokenExchange\.0\.audience must be an absolute URL/],
  'our own resource': [[{ audience: RESOURCE, clients: ['a'], scopes: ['b'] }], /^tokenExchange\.0\.audience must not be/],
  'the same as another one': [[...services, ...services], /^tokenExchange\.2\.audience is there twice/]
} as const
for (const [name, [list, message]] of Object.entries(wrong)) {
  t.test(`a service whose audience is ${name} stops the boot with its path`, async (t) => {
    t.throws(() => { assertServices(list, [ISSUER, RESOURCE]) }, { code: 'MCPS_ERR_INVALID_OPTION', message })
  })
}

t.test('a refusal tells the audit why, and the client no more than that', async (t) => {
  const error: unknown = await ask({ audience: BILLS }).catch((error: unknown) => error)

  t.match(error, {
    description: 'the client may have no token for this service',
    events: [{ type: 'token.refused', reason: 'service of other clients', clientId: 'gateway', operation: TOKEN_EXCHANGE }]
  })
})
