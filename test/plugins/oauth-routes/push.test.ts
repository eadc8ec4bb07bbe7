import t from 'tap'
import type { FastifyInstance } from 'fastify'
import { sha256 } from '../../../lib/crypto/digest.js'
import {
  authorizationUrl, authorize, COOKIE, decide, LOOPBACK, oauthApp, post, redirected, register, RESOURCE, SECRET, ticked,
  VERIFIER, type Fields
} from '../../helpers/oauth-app.js'

const VAULT = { authorization: `Basic ${Buffer.from(`vault:${SECRET}`).toString('base64')}` }

const pushed = (fields: Fields = {}): Fields => ({
  client_id: 'house',
  response_type: 'code',
  redirect_uri: 'https://house.example/cb?from=as',
  code_challenge: sha256(VERIFIER),
  code_challenge_method: 'S256',
  state: 'a state',
  resource: RESOURCE,
  scope: 'notes:read',
  ...fields
})

const uriOf = async (app: FastifyInstance, fields: Fields = {}, headers = {}): Promise<string> =>
  (await post(app, '/par', pushed(fields), headers)).json<{ request_uri: string }>().request_uri

const open = (app: FastifyInstance, requestUri: string, clientId = 'house', more = '') => app.inject({
  url: `/authorize?client_id=${clientId}&request_uri=${encodeURIComponent(requestUri)}${more}`, headers: { cookie: COOKIE, 'x-user': 'alice' }
})

t.test('a pushed request leads to consent, a code and tokens (AS-P1)', async (t) => {
  const { app, events } = await oauthApp(t)
  const answer = await post(app, '/par', pushed())
  t.match(answer, { statusCode: 201, headers: { 'content-type': /^application\/json/, 'cache-control': 'no-store', 'access-control-allow-origin': '*' } })
  t.equal(answer.json().expires_in, 600)
  t.match(events.at(-1), { type: 'authorization.pushed', outcome: 'allowed', clientId: 'house', scopesAsked: ['notes:read'] })

  const page = await open(app, answer.json().request_uri)
  t.equal(page.statusCode, 200)
  const back = redirected(await decide(app, [...ticked(page), ['decision', 'allow']]))
  t.equal(back.state, 'a state')
  const tokens = await post(app, '/token', { grant_type: 'authorization_code', client_id: 'house', code: back.code, code_verifier: VERIFIER })
  t.match(tokens.json(), { scope: 'notes:read' })
})

t.test('nothing of the query counts beside a pushed request (RFC 9126 §4)', async (t) => {
  const { app } = await oauthApp(t)
  const page = await open(app, await uriOf(app), 'house', '&scope=notes:write&state=evil&redirect_uri=https://evil.example/&resource=https://evil.example/')
  const back = await decide(app, [...ticked(page), ['decision', 'allow']])
  t.match(String(back.headers.location), /^https:\/\/house\.example\/cb\?from=as&code=.*&state=a%20state/)
})

t.test('a client shows who it is before anything is kept (AS-T3)', async (t) => {
  const { app } = await oauthApp(t)
  const vault = { client_id: undefined, redirect_uri: 'https://vault.example/cb' }
  t.equal((await post(app, '/par', pushed(vault), VAULT)).statusCode, 201)
  t.match(await open(app, await uriOf(app, vault, VAULT), 'vault'), { statusCode: 200 })
  t.match(await post(app, '/par', pushed({ ...vault, client_id: 'vault' })), { statusCode: 401, body: /invalid_client/ })
  t.match(await post(app, '/par', pushed({ client_id: 'nobody' })), { statusCode: 401, body: /invalid_client/ })
})

const wrong: Record<string, [Fields, string]> = {
  'another request_uri inside': [{ request_uri: 'urn:ietf:params:oauth:request_uri:x' }, 'invalid_request'],
  'an empty request_uri inside': [{ request_uri: '' }, 'invalid_request'],
  'a request object': [{ request: 'e30.e30.' }, 'request_not_supported'],
  'a redirect URI of somebody else': [{ redirect_uri: 'https://evil.example/cb' }, 'invalid_request'],
  'no challenge': [{ code_challenge: undefined }, 'invalid_request'],
  'a plain challenge': [{ code_challenge_method: 'plain' }, 'invalid_request'],
  'the implicit grant': [{ response_type: 'token' }, 'unsupported_response_type'],
  'another resource': [{ resource: 'https://evil.example/' }, 'invalid_target'],
  'a malformed scope': [{ scope: 'a"b' }, 'invalid_scope']
}

for (const [what, [fields, error]] of Object.entries(wrong)) {
  t.test(`${what} is refused when it is pushed, as JSON`, async (t) => {
    const { app, events } = await oauthApp(t)
    const answer = await post(app, '/par', pushed(fields))
    t.match(answer, { statusCode: 400, headers: { 'content-type': /^application\/json/, 'cache-control': 'no-store' } })
    t.equal(answer.json().error, error)
    t.match(events.at(-1), { type: 'authorization.refused', outcome: 'denied' })
  })
}

t.test('a name that is used, expired, made up or another client\'s is a page without a way out (AS-P1)', async (t) => {
  const { app, clock } = await oauthApp(t)
  const other = await register(app)
  const used = await uriOf(app)
  await open(app, used)
  const stolen = await uriOf(app)
  const old = await uriOf(app)
  const table: Array<[string, string]> = [
    [used, 'house'], [stolen, other], [stolen, ''], ['urn:ietf:params:oauth:request_uri:made-up', 'house']
  ]
  for (const [uri, clientId] of table) {
    const page = await open(app, uri, clientId)
    t.match(page, { statusCode: 400, headers: { 'content-type': /^text\/html/ } }, clientId)
    t.notOk('location' in page.headers)
  }
  clock.advance(600)
  t.equal((await open(app, old)).statusCode, 400)
})

t.test('of many browsers with one name one gets the page', async (t) => {
  const { app } = await oauthApp(t)
  const uri = await uriOf(app)
  const pages = await Promise.all(Array.from({ length: 8 }, () => open(app, uri)))
  t.equal(pages.filter(({ statusCode }) => statusCode === 200).length, 1)
})

t.test('somebody who has to sign in first comes back with the name still good', async (t) => {
  const { app } = await oauthApp(t)
  const uri = await uriOf(app)
  t.equal((await app.inject({ url: `/authorize?client_id=house&request_uri=${encodeURIComponent(uri)}` })).statusCode, 401)
  t.equal((await open(app, uri)).statusCode, 200)
})

t.test('where pushing is required, a request that was not pushed is refused', async (t) => {
  const { app } = await oauthApp(t, { routes: { pushedRequests: 'required' } })
  const clientId = await register(app)
  t.match(redirected(await authorize(app)), { error: 'invalid_request' })
  t.equal((await authorize(app, { client_id: clientId, redirect_uri: LOOPBACK })).statusCode, 400)
  t.equal((await open(app, await uriOf(app))).statusCode, 200)
  t.match((await app.inject('/.well-known/oauth-authorization-server')).json(), {
    pushed_authorization_request_endpoint: 'https://as.example/par', require_pushed_authorization_requests: true
  })
})

t.test('where pushing is off, there is no endpoint, no member of the metadata, and no name', async (t) => {
  const { app } = await oauthApp(t, { routes: { pushedRequests: 'off' } })
  t.equal((await post(app, '/par', pushed())).statusCode, 404)
  const metadata = (await app.inject('/.well-known/oauth-authorization-server')).json()
  t.notOk('pushed_authorization_request_endpoint' in metadata || 'require_pushed_authorization_requests' in metadata)
  const uri = 'urn:ietf:params:oauth:request_uri:x'
  t.match(redirected(await app.inject({ url: authorizationUrl({ request_uri: uri }), headers: { 'x-user': 'alice' } })),
    { error: 'request_uri_not_supported' })
})

t.test('pushing is an offer: a browser may still bring all of a request', async (t) => {
  const { app } = await oauthApp(t)
  t.equal((await authorize(app)).statusCode, 200)
})

t.test('a request_uri of the web is never fetched (AS-A18)', async (t) => {
  const { app } = await oauthApp(t)
  t.match(redirected(await authorize(app, { request_uri: 'https://evil.example/request.jwt' })), { error: 'request_uri_not_supported' })
})
