import fc from 'fast-check'
import t, { type Test } from 'tap'
import type { InjectOptions } from 'fastify'
import { auditHook } from '../../../lib/plugins/audit-hook.js'
import { oauthRoutes } from '../../../lib/plugins/oauth-routes/index.js'
import { StoreUnavailableError } from '../../../lib/stores/errors.js'
import { buildApp } from '../../helpers/build-app.js'
import { versions } from '../../helpers/fastify-versions.js'
import {
  codeFor, LOOPBACK, oauthApp, OPTIONS, post, RESOURCE, SECRET, VERIFIER, watchedStore, type Answer
} from '../../helpers/oauth-app.js'

const FORM = 'application/x-www-form-urlencoded'
const JSON_TYPE = 'application/json'
const basic = (id: string, secret: string): string => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
const form = (url: string, payload: string | Buffer, headers = {}): InjectOptions =>
  ({ method: 'POST', url, payload, headers: { 'content-type': FORM, ...headers } })
const json = (payload: string | Buffer, headers = {}): InjectOptions =>
  ({ method: 'POST', url: '/register', payload, headers: { 'content-type': JSON_TYPE, ...headers } })
const uris = (...redirectUris: string[]): string => JSON.stringify({ redirect_uris: redirectUris })

/** What must hold of every answer of an endpoint for clients. */
function assertOAuthJson (t: Test, answer: Answer, status: number, error?: string): void {
  const { headers } = answer
  t.equal(answer.statusCode, status)
  t.equal(headers['content-type'], 'application/json; charset=utf-8')
  t.equal(headers['cache-control'], 'no-store')
  t.equal(headers.pragma, 'no-cache')
  t.equal(headers['access-control-allow-origin'], '*')
  t.notMatch(answer.body, /null|statusCode|FST_ERR/)
  const body = answer.json<Record<string, unknown>>()
  t.equal(body.error, error)
  if (error !== undefined) t.match(body.error_description, /^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/)
}

const refusals: Record<string, [InjectOptions, number, string]> = {
  'token: nothing': [{ method: 'POST', url: '/token' }, 401, 'invalid_client'],
  'token: an empty form': [form('/token', ''), 401, 'invalid_client'],
  'token: an unknown client': [form('/token', 'client_id=nobody&grant_type=authorization_code'), 401, 'invalid_client'],
  'token: a secret for a client that has none': [form('/token', `client_id=house&client_secret=${SECRET}`), 401, 'invalid_client'],
  'token: a client without its secret': [form('/token', 'client_id=vault'), 401, 'invalid_client'],
  'token: two ways of authentication': [form('/token', `client_id=vault&client_secret=${SECRET}`, { authorization: basic('vault', SECRET) }), 400, 'invalid_request'],
  'token: parameters in the query': [form('/token?client_id=house&grant_type=refresh_token', ''), 401, 'invalid_client'],
  'token: two Authorization headers': [form('/token', 'grant_type=refresh_token', { authorization: [basic('vault', SECRET), basic('vault', SECRET)] }), 400, 'invalid_request'],
  'token: no grant type': [form('/token', 'client_id=house'), 400, 'invalid_request'],
  'token: another grant type': [form('/token', 'client_id=house&grant_type=password'), 400, 'unsupported_grant_type'],
  'token: an unknown code': [form('/token', `client_id=house&grant_type=authorization_code&code=x&code_verifier=${VERIFIER}`), 400, 'invalid_grant'],
  'token: an unknown refresh token': [form('/token', 'client_id=house&grant_type=refresh_token&refresh_token=x'), 400, 'invalid_grant'],
  'token: a repeated parameter': [form('/token', 'client_id=house&client_id=house&grant_type=refresh_token'), 400, 'invalid_request'],
  'token: a NUL': [form('/token', 'client_id=house%00'), 400, 'invalid_request'],
  'token: a lone surrogate': [form('/token', 'client_id=%ED%A0%80'), 400, 'invalid_request'],
  'token: bytes that are not UTF-8': [form('/token', Buffer.from([0x61, 0x3D, 0xFF])), 400, 'invalid_request'],
  'token: too many parameters': [form('/token', 'a=1&'.repeat(129)), 400, 'invalid_request'],
  'token: __proto__': [form('/token', '__proto__=x&client_id=nobody'), 401, 'invalid_client'],
  'token: ten thousand scopes': [form('/token', `client_id=house&grant_type=refresh_token&refresh_token=x&scope=${'a+'.repeat(10_000)}`), 400, 'invalid_scope'],
  'token: 2 MB': [form('/token', `a=${'x'.repeat(2_000_000)}`), 413, 'invalid_request'],
  'token: JSON': [{ ...json('{}'), url: '/token' }, 415, 'invalid_request'],
  'token: no content type': [{ method: 'POST', url: '/token', payload: 'a=b' }, 415, 'invalid_request'],
  'revoke: nothing': [{ method: 'POST', url: '/revoke' }, 401, 'invalid_client'],
  'revoke: no token': [form('/revoke', 'client_id=house'), 400, 'invalid_request'],
  'revoke: a repeated token': [form('/revoke', 'client_id=house&token=a&token=b'), 400, 'invalid_request'],
  'revoke: two Authorization headers': [form('/revoke', 'token=a', { authorization: [basic('vault', SECRET), basic('vault', SECRET)] }), 400, 'invalid_request'],
  'revoke: 2 MB': [form('/revoke', `token=${'x'.repeat(2_000_000)}`), 413, 'invalid_request'],
  'revoke: JSON': [{ ...json('{}'), url: '/revoke' }, 415, 'invalid_request'],
  'register: nothing': [{ method: 'POST', url: '/register' }, 400, 'invalid_client_metadata'],
  'register: an empty body': [json(''), 400, 'invalid_request'],
  'register: no JSON': [json('{'), 400, 'invalid_request'],
  'register: a list': [json('[]'), 400, 'invalid_client_metadata'],
  'register: null': [json('null'), 400, 'invalid_client_metadata'],
  'register: no redirect URIs': [json('{}'), 400, 'invalid_redirect_uri'],
  'register: a script as redirect URI': [json(uris('javascript:alert(1)')), 400, 'invalid_redirect_uri'],
  'register: a private-use scheme that is not listed': [json(uris('cursor://cb')), 400, 'invalid_redirect_uri'],
  'register: a NUL': [json('{"redirect_uris":["https://c.example/\\u0000"]}'), 400, 'invalid_redirect_uri'],
  'register: a lone surrogate': [json(`{"redirect_uris":["${LOOPBACK}"],"client_name":"\\ud800"}`), 400, 'invalid_client_metadata'],
  'register: __proto__': [json(`{"redirect_uris":["${LOOPBACK}"],"__proto__":{"client_name":"x"}}`), 400, 'invalid_request'],
  'register: constructor.prototype': [json(`{"redirect_uris":["${LOOPBACK}"],"constructor":{"prototype":{}}}`), 400, 'invalid_request'],
  'register: bytes that are not UTF-8': [json(Buffer.from([0x22, 0xFF, 0x22])), 400, 'invalid_request'],
  'register: ten thousand scopes': [json(JSON.stringify({ redirect_uris: [LOOPBACK], scope: 'a '.repeat(10_000) })), 400, 'invalid_client_metadata'],
  'register: 1500 redirect URIs': [json(uris(...Array.from({ length: 1500 }, () => LOOPBACK))), 400, 'invalid_redirect_uri'],
  'register: 2 MB': [json(`"${'x'.repeat(2_000_000)}"`), 413, 'invalid_request'],
  'register: a form': [form('/register', 'redirect_uris=x'), 415, 'invalid_request']
}

for (const version of Object.keys(versions)) {
  t.test(`Fastify ${version}: every refusal is OAuth JSON that nobody keeps, and stores nothing`, async (t) => {
    const { store, added } = watchedStore()
    const { app } = await oauthApp(t, { store, version })
    added.length = 0
    for (const [what, [request, status, error]] of Object.entries(refusals)) {
      t.test(`${what} is answered ${status} ${error}`, async (t) => {
        assertOAuthJson(t, await app.inject(request), status, error)
        t.same(added, [])
      })
    }
  })

  for (const url of ['/token', '/revoke', '/register', '/authorize']) {
    t.test(`Fastify ${version}: other methods of ${url} are answered 405 with Allow, before the body is read`, async (t) => {
      const { app } = await oauthApp(t, { version })
      for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
        if (method === (url === '/authorize' ? 'GET' : 'OPTIONS')) continue
        const answer = await app.inject({ method, url, payload: 'x'.repeat(100_000), headers: { 'content-type': 'a/b' } })
        t.match(answer, { statusCode: 405, headers: { allow: url === '/authorize' ? 'GET' : 'POST, OPTIONS', 'cache-control': 'no-store' } })
        t.equal(answer.json().error, 'invalid_request')
      }
    })
  }
}

t.test('HEAD is refused where it would do something', async (t) => {
  const { app } = await oauthApp(t)
  for (const url of ['/token', '/authorize']) {
    t.match(await app.inject({ method: 'HEAD', url }), { statusCode: 405, body: '' })
  }
})

t.test('a registered client gets 201 with all that is stored of it', async (t) => {
  const { app } = await oauthApp(t)
  const answer = await app.inject(json(JSON.stringify({ redirect_uris: [LOOPBACK], scope: '', client_uri: '' })))
  assertOAuthJson(t, answer, 201)
  t.match(answer.json(), { client_id: /^[\w-]{22}$/, client_secret: /^[\w-]{43}$/, client_secret_expires_at: 0, redirect_uris: [LOOPBACK] })
})

t.test('a code is exchanged for a token', async (t) => {
  const { app } = await oauthApp(t)
  const code = await codeFor(app)
  const answer = await post(app, '/token', { grant_type: 'authorization_code', client_id: 'house', code, code_verifier: VERIFIER, resource: RESOURCE })
  assertOAuthJson(t, answer, 200)
  t.match(answer.json(), { token_type: 'Bearer', expires_in: 900, scope: 'notes:read', refresh_token: String })
})

t.test('a leniency that a token request needed is told to the audit by name', async (t) => {
  const { app, events } = await oauthApp(t)
  const code = await codeFor(app)
  const { refresh_token: token } = (await post(app, '/token', {
    grant_type: 'authorization_code', client_id: 'house', code, code_verifier: VERIFIER
  })).json()
  const refresh = async () => await post(app, '/token', { grant_type: 'refresh_token', client_id: 'house', refresh_token: token })
  const needed = () => events.filter(({ type, operation }) => type === 'leniency.used' && operation === 'refreshRepeat')

  await refresh()
  t.same(needed(), [])
  assertOAuthJson(t, await refresh(), 200)
  t.match(needed(), [{ clientId: 'house', subject: 'alice' }])
  t.equal(needed().length, 1)
})

t.test('a token is revoked, and a token that never was is answered alike', async (t) => {
  const { app, events } = await oauthApp(t)
  const code = await codeFor(app)
  const tokens = await post(app, '/token', { grant_type: 'authorization_code', client_id: 'house', code, code_verifier: VERIFIER })
  const revoked = await post(app, '/revoke', { client_id: 'house', token: tokens.json().refresh_token })
  const unknown = await post(app, '/revoke', { client_id: 'house', token: 'x' })
  assertOAuthJson(t, revoked, 200)
  t.equal(unknown.body, revoked.body)
  t.same(events.slice(-2).map(({ type }) => type), ['grant.revoked', 'revocation.refused'])
})

t.test('only a client that used the Authorization header is told to use it', async (t) => {
  const { app } = await oauthApp(t)
  const withHeader = await app.inject(form('/token', '', { authorization: basic('vault', 'wrong') }))
  const withBody = await app.inject(form('/token', 'client_id=vault&client_secret=wrong'))
  t.match(withHeader, { statusCode: 401, headers: { 'www-authenticate': 'Basic realm="oauth"' } })
  t.equal(withBody.headers['www-authenticate'], undefined)
  t.equal(withBody.body, withHeader.body)
})

t.test('preflights are answered without authentication, for every origin and never with cookies', async (t) => {
  const { app } = await oauthApp(t)
  for (const url of ['/token', '/revoke', '/register']) {
    const answer = await app.inject({ method: 'OPTIONS', url, headers: { origin: 'https://page.example', 'access-control-request-method': 'POST' } })
    t.match(answer, { statusCode: 204, headers: { 'access-control-allow-origin': '*', 'access-control-allow-headers': /authorization.*content-type.*dpop.*mcp-protocol-version/ } })
    t.notOk('access-control-allow-credentials' in answer.headers)
  }
})

const POSTS: InjectOptions[] = [
  form('/token', 'client_id=aaaaaaaaaaaaaaaaaaaaaa&grant_type=refresh_token&refresh_token=x'),
  form('/revoke', 'client_id=aaaaaaaaaaaaaaaaaaaaaa&token=x'),
  json(uris(LOOPBACK))
]

t.test('a store that cannot be reached is 503 with Retry-After, never 401', async (t) => {
  const { store, fail } = watchedStore()
  const { app, events } = await oauthApp(t, { store })
  fail(new StoreUnavailableError('connection refused to db.internal'))
  for (const request of POSTS) {
    const answer = await app.inject(request)
    assertOAuthJson(t, answer, 503, 'temporarily_unavailable')
    t.equal(answer.headers['retry-after'], '5')
    t.notMatch(answer.body, /internal/)
    t.equal(events.at(-1)?.reason, 'store unavailable')
  }
})

t.test('a mistake of ours is 500 and says nothing', async (t) => {
  const { store, fail } = watchedStore()
  const { app } = await oauthApp(t, { store })
  fail(new Error('secret detail'))
  for (const request of POSTS) {
    const answer = await app.inject(request)
    assertOAuthJson(t, answer, 500, 'server_error')
    t.notMatch(answer.body, /secret/)
  }
})

t.test('a rate limit of the host that throws is answered in OAuth JSON', async (t) => {
  const limited = Object.assign(new Error('slow down'), { statusCode: 429 })
  const { app } = await oauthApp(t, { prepare: (app) => { app.addHook('preHandler', async () => { throw limited }) } })
  for (const request of POSTS) {
    const answer = await app.inject(request)
    assertOAuthJson(t, answer, 429, 'too_many_requests')
    t.equal(answer.headers['retry-after'], '60')
  }
})

t.test('a refusal is reported with its precise reason, which the client does not get', async (t) => {
  const { app, events } = await oauthApp(t)
  const answer = await app.inject(form('/token', 'client_id=nobody'))
  t.match(events.at(-1), { type: 'token.refused', outcome: 'denied', reason: 'unknown client', route: '/token' })
  t.notMatch(answer.body, /unknown/)
})

t.test('a refusal that knows whom it is about reports its own events', async (t) => {
  const { app, events } = await oauthApp(t)
  await post(app, '/token', { grant_type: 'password', client_id: 'house' })
  t.match(events.at(-1), { type: 'token.refused', clientId: 'house' })
})

t.test('without registration the endpoint is not there, in words that a client reads', async (t) => {
  const { app } = await oauthApp(t, { routes: { registration: false } })
  for (const request of [json(uris(LOOPBACK)), json(uris(LOOPBACK), { 'content-type': 'a/b' }), { url: '/register' }]) {
    assertOAuthJson(t, await app.inject(request), 404, 'invalid_request')
  }

  const preflight = await app.inject({
    method: 'OPTIONS', url: '/register', headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' }
  })
  t.equal(preflight.statusCode, 204, 'a script may read that')
  t.equal(preflight.headers['access-control-allow-origin'], '*')
})

t.test('a listed private-use scheme can be registered', async (t) => {
  const { app } = await oauthApp(t, { routes: { redirectSchemes: ['cursor'] } })
  t.equal((await app.inject(json(uris('cursor://anysphere/cb')))).statusCode, 201)
})

t.test('parsers and error formats of the host stay what they were', async (t) => {
  const { app } = await oauthApp(t, { prepare: (app) => { app.post('/own', async (request) => request.body) } })
  t.same((await app.inject({ method: 'POST', url: '/own', payload: { a: 1 } })).json(), { a: 1 })
  t.match((await app.inject(form('/own', 'a=1'))).json(), { statusCode: 415 })
})

t.test('an issuer with a path has its endpoints below it', async (t) => {
  const { app } = await oauthApp(t, { routes: { issuer: 'https://as.example/t1' } })
  t.equal((await app.inject(form('/t1/token', ''))).statusCode, 401)
  t.equal((await app.inject(form('/token', ''))).statusCode, 404)
})

t.test('a prefix stops the boot', async (t) => {
  const app = buildApp(t)
  await t.rejects(async () => await app.register(oauthRoutes, { ...OPTIONS, prefix: '/oauth' }), { code: 'MCPS_ERR_INVALID_OPTION', message: /^prefix / })
})

t.test('an unknown option stops the boot', async (t) => {
  const app = buildApp(t)
  await app.register(auditHook)
  const options = { ...OPTIONS, isuer: 'x' }
  await t.rejects(async () => await app.register(oauthRoutes, options), { code: 'MCPS_ERR_INVALID_OPTION', message: 'isuer is not an option' })
})

const names = [
  'client_id', 'client_secret', 'grant_type', 'code', 'code_verifier', 'redirect_uri', 'resource', 'scope',
  'refresh_token', 'token', 'response_type', 'code_challenge', 'code_challenge_method', 'state', 'prompt', 'request',
  'transaction', 'csrf', 'decision', '__proto__'
]
const values = [
  '', 'house', 'vault', SECRET, VERIFIER, 'authorization_code', 'refresh_token', 'code', 'S256', 'none', 'allow',
  'https://house.example/cb?from=as', RESOURCE, 'a.b', 'x'.repeat(43)
]

t.test('no form, query or authorization makes us answer 500, and nothing is granted', async (t) => {
  const { store, added } = watchedStore()
  const { app } = await oauthApp(t, { store })
  added.length = 0
  const value = fc.oneof(fc.constantFrom(...values), fc.string({ unit: 'binary' }))
  const fields = fc.array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 12 })
  const header = fc.option(fc.stringMatching(/^(?:Basic|Bearer|basic) [!-~]{0,40}$/), { nil: undefined })
  const url = fc.constantFrom('/token', '/revoke', '/authorize', '/authorize/consent')

  await fc.assert(fc.asyncProperty(url, fields, header, async (url, pairs, authorization) => {
    const text = new URLSearchParams(pairs).toString()
    const headers = { 'content-type': FORM, ...(authorization === undefined ? {} : { authorization }) }
    const answer = url === '/authorize'
      ? await app.inject({ url: `${url}?${text}`, headers })
      : await app.inject({ method: 'POST', url, payload: text, headers })
    return [200, 303, 400, 401, 403].includes(answer.statusCode) && !added.includes('grant')
  }), { numRuns: 500 })
})

t.test('no JSON makes the registration answer 500, and what it answers is what it was told', async (t) => {
  const { app } = await oauthApp(t)
  const member = fc.constantFrom('redirect_uris', 'client_name', 'scope', 'grant_types', 'contacts', 'client_uri', 'jwks')
  const metadata = fc.dictionary(member, fc.oneof(fc.jsonValue(), fc.constant([LOOPBACK])))

  await fc.assert(fc.asyncProperty(metadata, async (metadata) => {
    const answer = await app.inject(json(JSON.stringify(metadata)))
    const body = answer.json()
    if (answer.statusCode === 400) return typeof body.error === 'string'
    return answer.statusCode === 201 && JSON.stringify(body.redirect_uris) === JSON.stringify(metadata.redirect_uris)
  }), { numRuns: 500 })
})
