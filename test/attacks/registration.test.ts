import { randomBytes } from 'node:crypto'
import t from 'tap'
import { FormBrowser, signInAndConsent } from '../../examples/support/form-browser.js'
import { PlainClient } from '../helpers/oauth-client.js'
import { startReferenceServer, user } from '../helpers/reference-server.js'

const QUOTA = 20
const CALLBACK = 'http://127.0.0.1/callback'
const VERIFIER = 'a-verifier-of-forty-three-characters-or-more-'
const server = await startReferenceServer(t, {
  configuration: { maxClients: 2 * QUOTA, clients: [{ clientId: 'house', redirectUris: ['https://house.example/cb'] }] }
})

async function register (body: string, type = 'application/json'): Promise<Response> {
  return await fetch(`${server.origin}/register`, { method: 'POST', headers: { 'content-type': type }, body })
}
const registerWith = async (metadata: Readonly<Record<string, unknown>>): Promise<Response> =>
  await register(JSON.stringify({ redirect_uris: [CALLBACK], ...metadata }))

t.test('what may not be registered is refused, stored nowhere and counted nowhere (AS-R2, AS-R3, AS-A4)', async (t) => {
  const uris = [
    'javascript:alert(1)', 'JavaScript://c.example/%0aalert(1)', 'java\tscript:alert(1)', 'data:text/html,x', 'vbscript:x', 'blob:https://c.example/x',
    'file:///etc/passwd', 'about:blank', 'cursor://cb', 'com.example.app:/cb', 'http://c.example/cb', 'http://127.0.0.1.c.example/cb',
    'http://0.0.0.0/cb', 'http://127.1/cb', 'http://[::ffff:127.0.0.1]/cb', 'https://user@c.example/cb', 'https://@c.example/cb', 'https:c.example/cb',
    'https:///c.example/cb', 'https:\\\\c.example/cb', 'https://c.example\\@evil.example/cb', 'https://c.example/cb#', 'https://c.example/cb#x',
    'https://c.example/cb?code=x', 'https://c.example/cb?%63ode=x', 'https://c.example/cb?iss=x', 'https://c.example/cb\r\nX: y', ' https://c.example/cb',
    'https://c。example/cb', '/cb', '//c.example/cb', '', '*', 'https://*', 'https://*.example/', 'https://c.example&x=.evil.example/',
    'https://c.example,evil.example/', 'https://c%2eexample/', 'https://c.example:/cb', `https://c.example/${'x'.repeat(2048)}`
  ]
  for (const uri of uris) {
    const response = await registerWith({ redirect_uris: [CALLBACK, uri] })
    t.equal(response.status, 400, uri)
    t.match(await response.json(), { error: 'invalid_redirect_uri' }, uri)
  }
  const metadata: ReadonlyArray<Readonly<Record<string, unknown>>> = [
    { redirect_uris: CALLBACK }, { redirect_uris: { 0: CALLBACK, length: 1 } }, { redirect_uris: [[CALLBACK]] },
    { redirect_uris: Array(33).fill(CALLBACK) },
    { token_endpoint_auth_method: 'private_key_jwt' }, { token_endpoint_auth_method: ['none'] }, { grant_types: ['client_credentials'] },
    { grant_types: 'authorization_code' }, { response_types: ['token'] },
    { jwks: { keys: [] }, jwks_uri: 'https://c.example/jwks' },
    { client_uri: 'javascript:alert(1)' }, { logo_uri: 'data:image/svg+xml,x' }, { policy_uri: 'http://c.example/' }, { tos_uri: '//c.example/' },
    { client_name: 'x'.repeat(10_000) }, { client_name: 'a\nb' }, { client_name: { toString: 'x' } }, { contacts: Array(100).fill('a') },
    { scope: ['notes:read'] }, { scope: 'a '.repeat(10_000) }, { application_type: 'x' }
  ]
  for (const members of metadata) {
    const response = await registerWith(members)
    t.equal(response.status, 400, JSON.stringify(members).slice(0, 80))
    t.match(await response.json(), { error: /^invalid_(?:client_metadata|redirect_uri)$/ })
  }
  for (const [body, type, status] of [
    ['', 'application/json', 400], ['{', 'application/json', 400], ['null', 'application/json', 400], ['[]', 'application/json', 400],
    [`{"redirect_uris":["${CALLBACK}"],"__proto__":{"origin":"static"}}`, 'application/json', 400], ['['.repeat(60_000), 'application/json', 400],
    [`{"a":"${'x'.repeat(70_000)}"}`, 'application/json', 413], [`{"redirect_uris":["${CALLBACK}"]}`, 'text/plain', 415],
    [`redirect_uris=${CALLBACK}`, 'application/x-www-form-urlencoded', 415]
  ] as const) {
    const response = await register(body, type)
    t.equal(response.status, status, body.slice(0, 80))
    t.equal(response.headers.get('cache-control'), 'no-store')
    t.match(await response.json(), { error: /^invalid_/, error_description: String })
  }
})

t.test('a client chooses neither its id nor what we think of it (AS-R1, AS-R5, AS-R6)', async (t) => {
  const response = await registerWith({
    client_id: 'house',
    client_secret: 'x'.repeat(43),
    client_id_issued_at: 1,
    origin: 'static',
    authenticationMethods: ['none'],
    secretDigests: [],
    grant_types: ['authorization_code', 'client_credentials', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
    software_statement: 'e30.e30.',
    registration_access_token: 'x'
  })
  const body = await response.json() as Record<string, unknown>

  t.equal(response.status, 201)
  t.match(body, { client_id: /^[\w-]{22}$/, client_secret: /^[\w-]{43}$/, client_secret_expires_at: 0 })
  t.not(body.client_secret, 'x'.repeat(43))
  t.ok(Number(body.client_id_issued_at) > 1)
  t.strictSame(body.grant_types, ['authorization_code'])
  for (const name of ['origin', 'authenticationMethods', 'secretDigests', 'software_statement', 'registration_access_token']) {
    t.notOk(name in body, name)
  }
  const stolen = await fetch(`${server.origin}/authorize?client_id=house&redirect_uri=${encodeURIComponent(CALLBACK)}`, { redirect: 'manual' })
  t.equal(stolen.status, 400, 'nothing was added to the configured client')
})

t.test('what a client says of itself is text on our pages, and loads nothing (AS-C3, mistake 9)', async (t) => {
  const client = new PlainClient(server.origin)
  await client.register({
    client_name: '"><script>alert(1)</script>\u202Egro.elgoog\u200B', logo_uri: 'https://track.example/logo.png', client_uri: 'https://track.example/'
  })
  const browser = new FormBrowser()
  await signInAndConsent(browser, client.authorizationUrl(VERIFIER), user)
  const page = await browser.open(client.authorizationUrl(VERIFIER))
  const html = page instanceof URL ? '' : page.html

  t.match(html, '&quot;&gt;&lt;script&gt;')
  t.notMatch(html, /<script|\u202E|\u200B|track\.example/)
})

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
const ENDPOINTS: Readonly<Record<string, readonly string[]>> = {
  '/authorize': ['GET'],
  '/authorize/consent': ['POST'],
  '/token': ['POST', 'OPTIONS'],
  '/revoke': ['POST', 'OPTIONS'],
  '/register': ['POST', 'OPTIONS'],
  '/.well-known/jwks.json': ['GET', 'HEAD', 'OPTIONS'],
  '/.well-known/oauth-authorization-server': ['GET', 'HEAD', 'OPTIONS'],
  '/.well-known/oauth-protected-resource/mcp': ['GET', 'HEAD', 'OPTIONS'],
  '/.well-known/openid-configuration': ['GET', 'HEAD', 'OPTIONS']
}

t.test('every method of every endpoint is answered in our words, and kept by nobody (AS-T2, AS-A13, mistake 20)', async (t) => {
  for (const [path, allowed] of Object.entries(ENDPOINTS)) {
    for (const method of METHODS) {
      const what = `${method} ${path}`
      const response = await fetch(`${server.origin}${path}`, { method, redirect: 'manual', headers: { origin: 'https://evil.example' } })
      const text = await response.text()
      t.equal(response.status === 405, !allowed.includes(method), what)
      if (response.status === 405) t.equal(response.headers.get('allow'), allowed.join(', '), what)
      if (response.status !== 200) t.equal(response.headers.get('cache-control'), 'no-store', what)
      t.equal(response.headers.get('access-control-allow-origin'), path.startsWith('/authorize') ? null : '*', what)
      t.equal(response.headers.get('access-control-allow-credentials'), null, what)
      t.notMatch(text, /statusCode|FST_ERR|evil/, what)
    }
  }
})

// Last, since nothing is kept for anybody afterwards.
t.test('a flood fills nothing, keeps nobody from registering, and who is there stays (AS-R5, AS-T15)', async (t) => {
  const client = new PlainClient(server.origin)
  await client.register()
  const flood = await Promise.all(Array.from({ length: 2 * QUOTA }, async () => await registerWith({})))
  const ids = await Promise.all(flood.map(async (answer) => (await answer.json() as { client_id: string }).client_id))

  t.ok(flood.every(({ status }) => status === 201))
  t.equal(ids.filter((id) => id.length === 22).length, QUOTA - 3, 'so many are kept: three have registered before')
  t.ok((await client.signIn()).access_token)
  const fresh = new PlainClient(server.origin)
  const { refresh_token: token } = await fresh.signIn()
  t.match(fresh.clientId, /^[\w-]+\.[\w-]{43}$/)
  t.equal((await fresh.refresh(token)).status, 200)

  const long = await registerWith({ redirect_uris: Array.from({ length: 20 }, () => `https://c.example/${randomBytes(40).toString('hex')}`) })
  t.equal(long.status, 429, 'an id cannot say everything')
  t.equal(long.headers.get('cache-control'), 'no-store')
  t.match(long.headers.get('retry-after'), /^\d+$/)
  t.match(await long.json(), { error: 'too_many_requests' })
})

t.test('an id that says what was registered cannot be made up, changed or grown', async (t) => {
  const { client_id: id } = await (await registerWith({ token_endpoint_auth_method: 'none', client_name: 'Mallory' })).json() as { client_id: string }
  const [said = '', tag = ''] = id.split('.')
  const open = async (clientId: string) =>
    (await fetch(`${server.origin}/authorize?${new URLSearchParams({ client_id: clientId, redirect_uri: CALLBACK }).toString()}`, { redirect: 'manual' })).status
  const known = await open(id)

  for (const made of [`${said}.${'a'.repeat(43)}`, `${said}a.${tag}`, `${said.slice(1)}.${tag}`, `${id}=`, said, `.${tag}`]) {
    t.equal(await open(made), 400, made)
  }
  t.not(known, 400)
})
