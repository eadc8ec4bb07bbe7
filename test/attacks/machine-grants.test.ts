import Fastify from 'fastify'
import { decodeJwt } from 'jose'
import t from 'tap'
import { auditHook } from '../../lib/plugins/audit-hook.js'
import { oauthRoutes } from '../../lib/plugins/oauth-routes/index.js'
import { pkceStore } from '../../lib/plugins/pkce-store.js'
import { scopeGuard } from '../../lib/plugins/scope-guard.js'
import { ownVerifier } from '../../lib/plugins/support/own-verifier.js'
import { JWT_BEARER, TOKEN_EXCHANGE } from '../../lib/protocol/grant-types.js'
import { jwksVerifier } from '../../lib/tokens/jwks-verifier.js'
import type { AuditEvent } from '../../types/audit.js'
import type { TokenVerifier } from '../../types/principal.js'
import { assertionSigner } from '../helpers/assertion-issuer.js'
import { stoppedClock } from '../helpers/clock.js'
import {
  authorize, codeFor, ISSUER, LOOPBACK, OPTIONS, post, redirected, RESOURCE, SECRET, VERIFIER, type Fields
} from '../helpers/oauth-app.js'

// AS-T11, EX-10 to EX-14, EX-30, EX-31, AS-P6: tokens that nobody's consent comes before. Whoever is not the client
// that the operator set up, or brings what somebody else was given, gets none; and none of them reaches further.

const API = 'https://api.example/api'
/** Behind a server of its own, which has our keys and not our store. */
const FAR = 'https://far.example/far'
const HOST_GRANT = 'urn:example:badge'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

const [idp, ci] = [await assertionSigner(), await assertionSigner('https://ci.example')]
const app = Fastify({ forceCloseConnections: true })
t.teardown(async () => { await app.close() })
const clock = stoppedClock()
const now = (): number => clock()
const events: AuditEvent[] = []
const confidential = { secret: SECRET, tokenEndpointAuthMethod: 'client_secret_post' } as const
await app.register(auditHook, { log: false, clock, sink: (event) => { events.push(event) } })
await app.register(pkceStore, {
  clock,
  secrets: [SECRET],
  pruneInterval: 0,
  clients: [
    { clientId: 'job', ...confidential, grantTypes: ['client_credentials'], scope: 'notes:read' },
    { clientId: 'desk', ...confidential, grantTypes: [JWT_BEARER], scope: 'notes:read' },
    { clientId: 'shelf', ...confidential, grantTypes: [JWT_BEARER] },
    { clientId: 'runner', grantTypes: [JWT_BEARER], scope: 'notes:read' },
    { clientId: 'walker', grantTypes: [JWT_BEARER], scope: 'notes:write' },
    { clientId: 'gateway', ...confidential, grantTypes: [TOKEN_EXCHANGE] },
    { clientId: 'hatch', ...confidential, grantTypes: [TOKEN_EXCHANGE] },
    { clientId: 'badge', grantTypes: [HOST_GRANT], scope: 'notes:read' },
    { clientId: 'server', ...confidential, introspects: [RESOURCE] },
    { clientId: 'house', redirectUris: [LOOPBACK] }
  ]
})
await app.register(oauthRoutes, {
  ...OPTIONS,
  assertionIssuers: [
    { ...pick(idp), profile: 'id-jag', scopes: ['notes:read'] },
    { ...pick(ci), profile: 'workload', workloads: [{ clientId: 'runner', claims: { repository: 'notes', ref: 'main' } }] }
  ],
  tokenExchange: [API, FAR].map((audience) => ({ audience, clients: ['gateway'], scopes: ['notes:read', 'notes:write'] })),
  grantTypes: {
    [HOST_GRANT]: ({ parameters }) =>
      ({ subject: parameters['as'] ?? 'alice', scopes: ['notes:read', 'notes:write'] })
  }
})
const guards: Record<string, [string, TokenVerifier?]> = {
  '/mcp': [RESOURCE],
  '/api': [API, await ownVerifier(app, { issuer: ISSUER, resource: API })],
  '/far': [FAR, jwksVerifier({
    issuer: ISSUER,
    jwksUri: `${ISSUER}/.well-known/jwks.json`,
    resource: FAR,
    fetch: async () => Response.json((await app.inject('/.well-known/jwks.json')).json())
  })]
}
for (const [path, [resource, verifier]] of Object.entries(guards)) {
  await app.register(async (mcp) => {
    await mcp.register(scopeGuard, {
      ...(verifier === undefined ? { issuer: ISSUER } : { verifier }),
      resource,
      scopes: OPTIONS.scopes,
      components: OPTIONS.components ?? [],
      clock
    })
    mcp.post(path, async ({ mcpAuth }) => ({ jsonrpc: '2.0', id: 1, result: { subject: mcpAuth?.subject, clientId: mcpAuth?.clientId } }))
  })
}
await app.ready()

function nested (depth: number): object {
  return depth === 0 ? { sub: 'a' } : { sub: 'a', act: nested(depth - 1) }
}

function pick ({ issuer, jwksUri, fetch }: typeof idp) {
  return { issuer, jwksUri, fetch }
}

const ask = async (fields: Fields, headers = {}) => await post(app, '/token', { client_secret: SECRET, ...fields }, headers)
const call = async (path: string, token: string, name = 'list_notes') => await app.inject({
  method: 'POST',
  url: path,
  headers: { authorization: `Bearer ${token}` },
  payload: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } }
})
async function userToken (scope = 'notes:read notes:write'): Promise<{ access_token: string, refresh_token: string }> {
  const code = await codeFor(app, { redirect_uri: LOOPBACK, scope })
  return (await post(app, '/token', {
    grant_type: 'authorization_code', client_id: 'house', code, code_verifier: VERIFIER
  })).json()
}
const jag = async (claims = {}, header = {}): Promise<string> => await idp.sign({
  aud: ISSUER,
  sub: 'bob',
  client_id: 'desk',
  resource: RESOURCE,
  scope: 'notes:read',
  jti: 'one',
  iat: now(),
  exp: now() + 300,
  ...claims
}, { typ: 'oauth-id-jag+jwt', ...header })
const run = async (claims = {}, header = {}): Promise<string> => await ci.sign({
  aud: ISSUER, sub: 'repo:notes', repository: 'notes', ref: 'main', iat: now(), exp: now() + 300, ...claims
}, header)
const exchange = async (token: string, fields: Fields = {}) => await ask({
  grant_type: TOKEN_EXCHANGE,
  client_id: 'gateway',
  subject_token: token,
  subject_token_type: ACCESS_TOKEN,
  audience: API,
  ...fields
})
const user = await userToken()

const errorOf = (answer: Awaited<ReturnType<typeof post>>): string => answer.json<{ error?: string }>().error ?? 'none'
const tokenOf = (answer: Awaited<ReturnType<typeof post>>): string =>
  answer.json<{ access_token: string }>().access_token
const JOB = { grant_type: 'client_credentials', client_id: 'job' }
const DESK = { grant_type: JWT_BEARER, client_id: 'desk' }
const RUNNER = { grant_type: JWT_BEARER, client_id: 'runner', client_secret: undefined }

const own: Readonly<Record<string, readonly [Fields, string]>> = {
  'without its secret': [{ client_secret: undefined }, 'invalid_client'],
  'with the secret of nobody': [{ client_secret: `${SECRET}x` }, 'invalid_client'],
  'under a name of Object': [{ client_id: '__proto__' }, 'invalid_client'],
  'beyond its scope': [{ scope: 'notes:write' }, 'invalid_scope'],
  'for a scope that there is not': [{ scope: 'admin' }, 'invalid_scope'],
  'for a scope in other letters': [{ scope: 'Notes:Read' }, 'invalid_scope'],
  'for a further service': [{ resource: API }, 'invalid_target'],
  'for a resource that begins like ours': [{ resource: `${RESOURCE}/x` }, 'invalid_target'],
  'for the assertion of a user': [{ grant_type: JWT_BEARER, assertion: 'x' }, 'unauthorized_client'],
  'for a code': [{ grant_type: 'authorization_code', code: 'x', code_verifier: VERIFIER }, 'unauthorized_client'],
  'for the refresh token of a user': [{ grant_type: 'refresh_token', refresh_token: user.refresh_token }, 'unauthorized_client']
}
for (const [what, [fields, code]] of Object.entries(own)) {
  t.test(`a client for itself gets nothing ${what}: ${code}`, async (t) => {
    const answer = await ask({ ...JOB, ...fields })

    t.equal(errorOf(answer), code)
    t.equal(answer.headers['cache-control'], 'no-store')
  })
}

t.test('the token of a client is no user\'s at the guard, cannot be exchanged, and ends when it says so', async (t) => {
  const answer = await ask({ ...JOB, scope: 'notes:read notes:write' })
  const token = tokenOf(answer)

  t.match(answer.json(), { scope: 'notes:read', token_type: 'Bearer', resource: RESOURCE })
  t.notOk('refresh_token' in answer.json())
  t.match((await call('/mcp', token)).json(), { result: { subject: null, clientId: 'job' } })
  t.equal((await call('/mcp', token, 'delete_note')).statusCode, 403)
  t.equal(errorOf(await exchange(token)), 'invalid_request')
  for (const [client, active] of [['desk', false], ['server', true], ['job', true]] as const) {
    const asked = await post(app, '/introspect', { client_id: client, client_secret: SECRET, token })
    t.equal(asked.json().active, active, client)
  }
  await post(app, '/revoke', { client_id: 'desk', client_secret: SECRET, token })
  t.equal((await call('/mcp', token)).statusCode, 200)
  await post(app, '/revoke', { client_id: 'job', client_secret: SECRET, token })
  t.equal((await call('/mcp', token)).statusCode, 401)
})

t.test('who registers by itself gets none of these grants, whatever it registers', async (t) => {
  const grants: Fields[] = [
    { grant_type: 'client_credentials' },
    { grant_type: JWT_BEARER, assertion: await run() },
    { grant_type: TOKEN_EXCHANGE, subject_token: user.access_token, subject_token_type: ACCESS_TOKEN, audience: API },
    { grant_type: HOST_GRANT }
  ]
  for (const grant of grants) {
    const { client_id: id, client_secret: secret, grant_types: kept } = (await app.inject({
      method: 'POST',
      url: '/register',
      payload: {
        redirect_uris: [LOOPBACK],
        token_endpoint_auth_method: 'client_secret_post',
        grant_types: ['authorization_code', grant.grant_type],
        scope: 'notes:read'
      }
    })).json()

    t.same(kept, ['authorization_code'])
    t.equal(errorOf(await ask({ ...grant, client_id: id, client_secret: secret })), 'unauthorized_client')
  }
})

t.test('a user who is called like a client that acts for itself can allow nothing (RFC 9068 §5)', async (t) => {
  const at = async (name: string) => await authorize(app, { redirect_uri: LOOPBACK }, name)

  for (const name of ['job', 'runner', 'badge']) t.equal(redirected(await at(name)).error, 'access_denied')
  t.match(events.filter(({ reason }) => reason === 'user named like a client'), [{ type: 'authorization.refused' }, {}, {}])
  for (const name of ['alice', 'house', 'server', 'https://job.example/job']) t.equal((await at(name)).statusCode, 200)
})

const jags: Readonly<Record<string, readonly [Record<string, unknown>, Record<string, unknown>, string?]>> = {
  'of another client': [{ client_id: 'shelf' }, {}],
  'of several clients': [{ client_id: ['desk', 'shelf'] }, {}],
  'without a client': [{ client_id: undefined }, {}],
  'for another server': [{ aud: 'https://other.example' }, {}],
  'for us and somebody else': [{ aud: [ISSUER, 'https://other.example'] }, {}],
  'for nobody': [{ aud: [] }, {}],
  'for our address with a slash': [{ aud: `${ISSUER}/` }, {}],
  'for another resource': [{ resource: API }, {}, 'invalid_target'],
  'that lets do nothing': [{ scope: '' }, {}, 'invalid_scope'],
  'that lets do more than its provider may say': [{ scope: 'notes:write' }, {}, 'invalid_scope'],
  'whose scope is an object': [{ scope: { 'notes:read': true } }, {}],
  'that says null for the scope': [{ scope: null }, {}],
  'without a user': [{ sub: '' }, {}],
  'whose user is a number': [{ sub: 1 }, {}],
  'whose user is a list': [{ sub: ['bob'] }, {}],
  'whose user has a line break': [{ sub: 'bob\nalice' }, {}],
  'whose user is too long': [{ sub: 'b'.repeat(300) }, {}],
  'that expired this second': [{ exp: now() }, {}],
  'that never expires': [{ exp: 1e300 }, {}],
  'whose expiry is text': [{ exp: '9999999999' }, {}],
  'of tomorrow': [{ iat: now() + 86_400, exp: now() + 86_500 }, {}],
  'that is bound to a key, without the key': [{ cnf: { jkt: 'k'.repeat(43) } }, {}],
  'that is bound to something unknown': [{ cnf: { kid: 'x' } }, {}],
  'for another tenant': [{ aud_tenant: 'blue' }, {}],
  'with a chain of actors without an end': [{ act: nested(9) }, {}],
  'under an issuer that we do not know': [{ iss: 'https://evil.example' }, {}],
  'under our own name': [{ iss: ISSUER }, {}],
  'under the name of the platform': [{ iss: ci.issuer }, {}],
  'that calls itself a workload': [{}, { typ: 'JWT' }],
  'that calls itself an access token': [{}, { typ: 'at+jwt' }],
  'without a type': [{}, { typ: undefined }],
  'with an extension': [{}, { crit: ['b64'], b64: true }],
  'with the key of somebody else by name': [{}, { kid: 'key-2', jku: 'https://evil.example/jwks' }]
}
for (const [what, [claims, header, code = 'invalid_grant']] of Object.entries(jags)) {
  t.test(`an assertion about a user ${what} is refused: ${code}`, async (t) => {
    t.equal(errorOf(await ask({ ...DESK, assertion: await jag(claims, header) })), code)
  })
}

t.test('nobody brings an assertion that another client was given, whoever holds it', async (t) => {
  const assertion = await jag()

  t.equal(errorOf(await ask({ ...DESK, client_id: 'shelf', assertion })), 'invalid_grant')
  t.equal(errorOf(await ask({ ...RUNNER, assertion })), 'invalid_client')
  t.equal(errorOf(await ask({ ...DESK, client_secret: undefined, assertion })), 'invalid_client')
  t.equal(errorOf(await ask({ ...DESK, assertion: user.access_token })), 'invalid_grant')
  t.equal(errorOf(await ask({ ...DESK, assertion: 'x'.repeat(16_385) })), 'invalid_request')
  t.equal((await ask({ ...DESK, assertion })).statusCode, 200)
})

t.test('an assertion gives the user of its issuer, and nobody of ours, no more than all allow', async (t) => {
  const assertion = await jag({ sub: 'alice', scope: 'notes:read notes:write', may_act: { sub: 'hatch' } })
  const token = tokenOf(await ask({ ...DESK, client_id: 'desk', assertion, scope: 'notes:write notes:read' }))

  t.match(decodeJwt(token), { sub: `${idp.issuer}#alice`, scope: 'notes:read' })
  t.match((await call('/mcp', token)).json(), { result: { subject: `${idp.issuer}#alice` } })
  t.equal(errorOf(await exchange(token)), 'invalid_request', 'may_act names another one')
})

const runs: Readonly<Record<string, readonly [Record<string, unknown>, Record<string, unknown>, Fields?, string?]>> = {
  'of another repository': [{ repository: 'evil' }, {}],
  'of a branch': [{ ref: 'feature' }, {}],
  'that leaves out what tells it apart': [{ ref: undefined }, {}],
  'that is of several at a time': [{ repository: ['notes'] }, {}],
  'that says it in a nested claim': [{ repository: undefined, claims: { repository: 'notes' } }, {}],
  'for somebody else': [{ aud: 'https://other.example' }, {}],
  'that lives for two days': [{ exp: now() + 172_800 }, {}],
  'that calls itself a user\'s': [{}, { typ: 'oauth-id-jag+jwt' }],
  'of the identity provider': [{ iss: idp.issuer }, {}],
  'as another client': [{}, {}, { client_id: 'walker' }, 'unauthorized_client'],
  'as a client with a secret, without it': [{}, {}, { client_id: 'desk' }, 'invalid_client'],
  'as a client with a secret': [{}, {}, { client_id: 'desk', client_secret: SECRET }, 'unauthorized_client'],
  'for more than the client may': [{}, {}, { scope: 'notes:write' }, 'invalid_scope']
}
for (const [what, [claims, header, fields = {}, code = 'invalid_grant']] of Object.entries(runs)) {
  t.test(`an assertion about a workload ${what} is refused: ${code}`, async (t) => {
    t.equal(errorOf(await ask({ ...RUNNER, ...fields, assertion: await run(claims, header) })), code)
  })
}

t.test('a workload is no user, whatever its platform calls it', async (t) => {
  const token = tokenOf(await ask({ ...RUNNER, assertion: await run({ sub: 'alice', sub_type: 'user', client_id: 'job' }) }))

  t.match((await call('/mcp', token)).json(), { result: { subject: null, clientId: 'runner' } })
})

t.test('the host decides who is meant, and not how far its client gets', async (t) => {
  const badge = await post(app, '/token', { grant_type: HOST_GRANT, client_id: 'badge' })
  t.match(decodeJwt(tokenOf(badge)), { sub: 'alice', scope: 'notes:read' })
  t.equal(errorOf(await post(app, '/token', { grant_type: HOST_GRANT, client_id: 'house' })), 'unauthorized_client')
  t.equal(errorOf(await post(app, '/token', { grant_type: HOST_GRANT, client_id: 'badge', resource: API })), 'invalid_target')
  t.equal(errorOf(await post(app, '/token', { grant_type: HOST_GRANT, client_id: 'badge', as: 'job' })), 'invalid_grant',
    'a user who is called like a client')
})

const exchanges: Readonly<Record<string, readonly [Fields, string]>> = {
  'by a client that may not': [{ client_id: 'hatch' }, 'invalid_target'],
  'by a client without its secret': [{ client_secret: undefined }, 'invalid_client'],
  'by the client of the user': [{ client_id: 'house', client_secret: undefined }, 'unauthorized_client'],
  'for ourselves': [{ audience: RESOURCE }, 'invalid_target'],
  'for the server itself': [{ audience: ISSUER }, 'invalid_target'],
  'for a path below the service': [{ audience: `${API}/x` }, 'invalid_target'],
  'for two services': [{ resource: FAR }, 'invalid_target'],
  'for a scope of nobody': [{ scope: 'admin' }, 'invalid_scope'],
  'of a refresh token': [{ subject_token: user.refresh_token }, 'invalid_request'],
  'of an assertion': [{ subject_token: await jag() }, 'invalid_request'],
  'of a token that was changed': [{ subject_token: `${user.access_token.slice(0, -2)}AA` }, 'invalid_request'],
  'with an actor': [{ actor_token: user.access_token, actor_token_type: ACCESS_TOKEN }, 'invalid_request']
}
for (const [what, [fields, code]] of Object.entries(exchanges)) {
  t.test(`nothing is exchanged ${what}: ${code}`, async (t) => {
    t.equal(errorOf(await exchange(user.access_token, fields)), code)
  })
}

t.test('an exchanged token is good at its service only, and opens nothing destructive that no page named (AS-C5)', async (t) => {
  const token = tokenOf(await exchange(user.access_token))
  const far = tokenOf(await exchange(user.access_token, { audience: FAR }))

  t.equal((await call('/mcp', user.access_token, 'delete_note')).statusCode, 200)
  t.equal((await call('/mcp', token)).statusCode, 401)
  t.equal((await call('/far', token)).statusCode, 401)
  t.equal((await call('/api', far)).statusCode, 401)
  t.match((await call('/api', token)).json(), { result: { subject: 'alice', clientId: 'gateway' } })
  t.equal((await call('/api', token, 'delete_note')).statusCode, 403)
  t.equal((await call('/far', far)).statusCode, 200)
})

t.test('an exchanged token never has more than the first one, also when it is exchanged again', async (t) => {
  const { access_token: narrow } = await userToken('notes:read')
  const once = tokenOf(await exchange(narrow, { scope: 'notes:read notes:write' }))
  const twice = tokenOf(await exchange(once, { audience: FAR, scope: 'notes:write notes:read' }))

  t.match(decodeJwt(twice), { scope: 'notes:read', aud: FAR, act: { sub: 'gateway', act: { sub: 'gateway' } } })
  t.equal(errorOf(await exchange(once, { audience: FAR, scope: 'notes:write' })), 'invalid_scope')
})

t.test('an exchanged token ends with the first one, and is nobody else\'s to ask about or end', async (t) => {
  const { access_token: first } = await userToken()
  const token = tokenOf(await exchange(first))
  const isActive = async (client: string) =>
    (await post(app, '/introspect', { client_id: client, client_secret: SECRET, token })).json().active

  t.same(await Promise.all(['gateway', 'server', 'hatch'].map(isActive)), [true, false, false])
  await post(app, '/revoke', { client_id: 'gateway', client_secret: SECRET, token })
  t.equal((await call('/mcp', first)).statusCode, 200, 'the service does not end what the user gave')
  await post(app, '/revoke', { client_id: 'house', token: first })
  t.equal((await call('/api', token)).statusCode, 401)
  t.equal(await isActive('gateway'), false)
  t.equal(errorOf(await exchange(token, { audience: FAR })), 'invalid_request')
})

t.test('a parameter that is repeated is refused, and none of these requests told a secret to the audit', async (t) => {
  const twice = await app.inject({
    method: 'POST',
    url: '/token',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: `grant_type=client_credentials&client_id=job&client_secret=${SECRET}&scope=notes:read&scope=notes:write`
  })
  t.equal(errorOf(twice), 'invalid_request')
  for (const method of ['GET', 'PUT', 'DELETE'] as const) t.equal((await app.inject({ method, url: '/token' })).statusCode, 405)
  t.notMatch(JSON.stringify(events), /eyJ|a-secret-of/)
})
