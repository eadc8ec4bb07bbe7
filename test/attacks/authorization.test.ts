import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { FormBrowser, type Page } from '../../examples/support/form-browser.js'
import { authorizationUrl, oauthApp } from '../helpers/oauth-app.js'
import { PlainClient, readTokens } from '../helpers/oauth-client.js'
import { startReferenceServer, user } from '../helpers/reference-server.js'

const VERIFIER = 'a-verifier-of-forty-three-characters-or-more-'
const HOUSE = 'https://house.example/cb?from=as'
const server = await startReferenceServer(t, {
  configuration: { clients: [{ clientId: 'house', redirectUris: [HOUSE, 'http://127.0.0.1/callback'] }] }
})
await server.addAccount('mallory', 'another long password')

type Parameters = Readonly<Record<string, string>>

async function aClient (redirectUris = ['http://127.0.0.1/callback', 'https://c.example/cb']): Promise<PlainClient> {
  const client = new PlainClient(server.origin)
  await client.register({ redirect_uris: redirectUris })
  return client
}

const house = new PlainClient(server.origin)
house.clientId = 'house'
const client = await aClient()
const browser = new FormBrowser()

const isPage = (page: Page | URL): page is Page => !(page instanceof URL)

async function signedIn (who: FormBrowser, name = user.name, password = user.password): Promise<void> {
  const page = await who.open(client.authorizationUrl(VERIFIER))
  if (isPage(page) && page.html.includes('name="password"')) await who.submit(page, 'password', { name, password })
}

async function consentPage (who: FormBrowser, of = client, parameters: Parameters = {}): Promise<Page> {
  const page = await who.open(of.authorizationUrl(VERIFIER, parameters))
  if (!isPage(page) || !page.html.includes('name="transaction"')) throw new Error('no consent page')
  return page
}

/** What the browser of somebody who is signed in gets to see, without following anything. */
const visit = async (url: URL, cookies: readonly (readonly [string, string])[] = browser.cookies): Promise<Response> =>
  await fetch(url, { redirect: 'manual', headers: { cookie: cookies.map((pair) => pair.join('=')).join('; ') } })

async function assertNoWayOut (t: Test, response: Response): Promise<void> {
  t.equal(response.status, 400)
  t.equal(response.headers.get('location'), null)
  t.match(response.headers.get('content-type'), 'text/html')
  t.equal(response.headers.get('access-control-allow-origin'), null)
  t.notMatch(await response.text(), /<a |http-equiv|evil/)
}

await signedIn(browser)

t.test('no redirect URI but a registered one is ever a way out, for nobody (AS-A2, AS-A3, mistakes 3 and 15)', async (t) => {
  for (const redirectUri of [
    'http://127.0.0.1:9/callback/../x', 'http://127.0.0.1.evil.example:9/callback', 'http://localhost:9/callback',
    'http://127.0.0.1:9@evil.example/callback', 'http://evil.example#@127.0.0.1:9/callback', 'http://127.0.0.1:9/callback/',
    'http://127.0.0.1:9/callback?x', 'http://127.0.0.1:9/callback#x', 'http://127.0.0.1:9/%63allback', 'http://127.0.0.1:9//callback',
    'HTTP://127.0.0.1:9/callback', 'http://127.0.0.1:/callback/', 'http://127.0.0.1:99999/callback', 'http://127.1:9/callback',
    'http://2130706433:9/callback', 'http://0x7f000001:9/callback', 'http://127.0.0.2:9/callback', 'http://[::1]:9/callback',
    'http://[::ffff:127.0.0.1]:9/callback', 'https://127.0.0.1:9/callback', 'http:127.0.0.1:9/callback', 'http:\\\\127.0.0.1:9/callback',
    'https://c.example:443/cb', 'https://c.example:444/cb', 'https://c.example/cb?x', 'https://c.example/cb/', 'https://c.example/CB',
    'https://c.example@evil.example/cb', 'https://c.example\\@evil.example/cb', 'https://evil.example\\.c.example/cb',
    'https://c.example./cb', 'https://C.example/cb', 'https://c。example/cb', 'https://с.example/cb', 'https://c.example/cb\t',
    ' https://c.example/cb', 'https://c.example/cb\r\nLocation: https://evil.example/', '//c.example/cb', '/cb', 'c.example/cb',
    'javascript:alert(1)', 'data:text/html,x', 'https://c.example/cb https://evil.example/', 'http://127.0.0.1/callback,https://evil.example/'
  ]) {
    const url = client.authorizationUrl(VERIFIER, { redirect_uri: redirectUri })
    await assertNoWayOut(t, await visit(url))
    await assertNoWayOut(t, await visit(url, []))
  }
})

t.test('who asks and where to is said once, or nothing is answered (AS-A1, AS-A2)', async (t) => {
  const right = client.authorizationUrl(VERIFIER)
  for (const [name, value] of [
    ['client_id', 'house'], ['client_id', client.clientId], ['redirect_uri', HOUSE], ['redirect_uri', client.redirectUri],
    ['redirect%5Furi', 'https://evil.example/'], ['%63lient_id', 'house']
  ]) await assertNoWayOut(t, await visit(new URL(`${right.href}&${name}=${value}`)))
  for (const id of ['', 'nobody', '__proto__', 'constructor', 'House', 'house ', 'house%00', 'a'.repeat(22), 'a'.repeat(3000)]) {
    const url = new URL(right.href.replace(client.clientId, id))
    await assertNoWayOut(t, await visit(url))
  }
  for (const one of [client, house]) {
    const url = one.authorizationUrl(VERIFIER)
    url.searchParams.delete('redirect_uri')
    await assertNoWayOut(t, await visit(url))
  }
})

/** What is wrong, and the error that the client is told. */
const WRONG: ReadonlyArray<readonly [string, (url: URL) => void]> = [
  ['invalid_request', ({ searchParams }) => { searchParams.delete('code_challenge') }],
  ['invalid_request', ({ searchParams }) => { searchParams.delete('code_challenge_method') }],
  ['invalid_request', ({ searchParams }) => { searchParams.set('code_challenge_method', 'plain') }],
  ['invalid_request', ({ searchParams }) => { searchParams.set('code_challenge_method', 's256') }],
  ['invalid_request', ({ searchParams }) => { searchParams.set('code_challenge', 'a'.repeat(42)) }],
  ['invalid_request', ({ searchParams }) => { searchParams.append('code_challenge', 'a'.repeat(43)) }],
  ['invalid_request', ({ searchParams }) => { searchParams.append('state', 'twice') }],
  ['invalid_request', ({ searchParams }) => { searchParams.append('x', '1'); searchParams.append('x', '2') }],
  ['invalid_request', ({ searchParams }) => { searchParams.delete('response_type') }],
  ['invalid_request', ({ searchParams }) => { searchParams.set('response_mode', 'fragment') }],
  ['invalid_request', ({ searchParams }) => { searchParams.set('prompt', 'none login') }],
  ['unsupported_response_type', ({ searchParams }) => { searchParams.set('response_type', 'token') }],
  ['unsupported_response_type', ({ searchParams }) => { searchParams.set('response_type', 'code id_token') }],
  ['request_not_supported', ({ searchParams }) => { searchParams.set('request', 'e30.e30.') }],
  ['request_uri_not_supported', ({ searchParams }) => { searchParams.set('request_uri', `${server.origin}/healthz`) }],
  ['invalid_target', ({ searchParams }) => { searchParams.set('resource', 'https://evil.example/') }],
  ['invalid_target', ({ searchParams }) => { searchParams.set('resource', `${server.url.href}#x`) }],
  ['invalid_target', ({ searchParams }) => { searchParams.set('resource', `${server.url.href}/`) }],
  ['invalid_target', ({ searchParams }) => {
    searchParams.append('resource', server.url.href)
    searchParams.append('resource', 'https://evil.example/')
  }],
  ['invalid_scope', ({ searchParams }) => { searchParams.set('scope', 'notes:read  notes:write') }],
  ['invalid_scope', ({ searchParams }) => { searchParams.set('scope', 'notes:read\n') }],
  ['invalid_scope', ({ searchParams }) => { searchParams.set('scope', 'a '.repeat(3000)) }],
  ['consent_required', ({ searchParams }) => { searchParams.set('prompt', 'none') }]
]

t.test('a configured client is told by redirect: one iss, the exact state, never a code (AS-A10, mistakes 4 and 19)', async (t) => {
  for (const [error, spoil] of WRONG) {
    const url = house.authorizationUrl(VERIFIER, { redirect_uri: HOUSE, state: 'a b+c%20&é' })
    spoil(url)
    const response = await visit(url)
    const { origin, searchParams } = new URL(String(response.headers.get('location')))
    t.equal(response.status, 303)
    t.equal(origin, 'https://house.example')
    t.match([...searchParams.keys()].join(), /^from,error,error_description,(?:state,)?iss$/)
    t.equal(searchParams.get('error'), error, url.search)
    t.equal(searchParams.get('iss'), server.origin)
    t.equal(searchParams.get('state'), url.searchParams.getAll('state').length === 1 ? 'a b+c%20&é' : null)
  }
})

t.test('to a client that registered itself no error goes without a click, and without a sign-in no word (AS-A11, mistake 15)', async (t) => {
  for (const [error, spoil] of WRONG) {
    const url = client.authorizationUrl(VERIFIER, { redirect_uri: 'https://c.example/cb', state: 'once' })
    spoil(url)
    const seen = await visit(url)
    t.equal(seen.status, 400)
    t.equal(seen.headers.get('location'), null)
    t.match(await seen.text(), `error=${error}`)
    if (error === 'consent_required') continue
    const stranger = await visit(url, [])
    t.equal(new URL(String(stranger.headers.get('location')), server.origin).origin, server.origin)
    t.notMatch(String(stranger.headers.get('location')), /error=/)
  }
})

t.test('consent is asked again for another client, another redirect URI and another time (AS-C4, AS-A17, mistake 9)', async (t) => {
  await client.exchange({ ...await client.authorize(), verifier: VERIFIER })
  const other = await aClient()
  for (const [of, parameters] of [
    [client, {}], [client, { redirect_uri: 'https://c.example/cb' }], [client, { prompt: 'consent' }], [other, {}],
    [house, { redirect_uri: HOUSE }]
  ] as const) {
    const response = await visit(of.authorizationUrl(VERIFIER, parameters))
    t.equal(response.status, 200)
    t.equal(response.headers.get('location'), null)
    t.equal(response.headers.get('x-frame-options'), 'DENY')
    t.match(response.headers.get('content-security-policy'), "frame-ancestors 'none'")
    t.match(await response.text(), 'name="transaction"')
  }
})

const ALLOW = { decision: 'allow' }
const fieldOf = (of: Page, name: string): string => new RegExp(`name="${name}" value="([^"]+)"`).exec(of.html)?.[1] ?? ''

t.test('nobody answers the consent page for somebody else, and only with what it asked (AS-C2, AS-C5, mistake 9)', async (t) => {
  const mallory = new FormBrowser()
  await signedIn(mallory, 'mallory', 'another long password')
  const foreign = await consentPage(mallory)
  const page = await consentPage(browser)

  const attacks: Record<string, () => Promise<Page | URL>> = {
    'without a token': async () => await browser.submit(page, 'transaction', { ...ALLOW, csrf: [] }),
    'with two tokens': async () => await browser.submit(page, 'transaction', { ...ALLOW, csrf: ['x', fieldOf(page, 'csrf')] }),
    'with the token of an own page': async () => await browser.submit(page, 'transaction', { ...ALLOW, csrf: fieldOf(foreign, 'csrf') }),
    'with an own transaction': async () => await browser.submit(page, 'transaction', { ...ALLOW, transaction: fieldOf(foreign, 'transaction') }),
    'with both, for the victim to post': async () => await browser.submit(foreign, 'transaction', ALLOW),
    'from the browser of another user': async () => await mallory.submit(page, 'transaction', ALLOW),
    'from a browser without a session': async () => await new FormBrowser().submit(page, 'transaction', ALLOW),
    'without a decision': async () => await browser.submit(page, 'transaction', { decision: [] }),
    'with two decisions': async () => await browser.submit(page, 'transaction', { decision: ['deny', 'allow'] })
  }
  for (const [what, attack] of Object.entries(attacks)) {
    const answer = await attack()
    t.ok(isPage(answer) && answer.status >= 400 && answer.status < 500, what)
  }

  const answer = await browser.submit(page, 'transaction', {
    ...ALLOW, scope: ['notes:read', 'notes:write', 'admin'], redirect_uri: 'https://evil.example/', client_id: 'house', state: 'evil', resource: 'https://evil.example/'
  })
  if (isPage(answer)) throw new Error('the right form is refused')
  t.equal(answer.host, '127.0.0.1:9')
  t.equal(answer.searchParams.get('state'), null)
  const tokens = await readTokens(await client.exchange({ code: answer.searchParams.get('code') ?? '', verifier: VERIFIER, redirect: answer }))
  t.equal(tokens.scope, 'notes:read', 'what was not asked for cannot be ticked')
  const again = await browser.submit(page, 'transaction', ALLOW)
  t.ok(isPage(again) && again.status === 400, 'the page is worth nothing after the exchange')
})

t.test('another user who signs in meanwhile in the same browser approves nothing (AS-C4)', async (t) => {
  const shared = new FormBrowser()
  await signedIn(shared)
  const page = await consentPage(shared)
  const mallory = new FormBrowser()
  await signedIn(mallory, 'mallory', 'another long password')
  const session = new Map(mallory.cookies).get('__Host-mcp-session') ?? ''
  const browserId = new Map(shared.cookies).get('__Host-mcp-browser') ?? ''
  const fields = { transaction: fieldOf(page, 'transaction'), csrf: fieldOf(page, 'csrf'), scope: 'notes:read', ...ALLOW }

  const answer = await fetch(`${server.origin}/authorize/consent`, {
    method: 'POST',
    body: new URLSearchParams(fields),
    redirect: 'manual',
    headers: { cookie: `__Host-mcp-browser=${browserId}; __Host-mcp-session=${session}`, origin: server.origin }
  })

  t.equal(answer.status, 403)
  t.notOk(isPage(await shared.submit(page, 'transaction', ALLOW)), 'it was the user that was wrong, and nothing else')
})

t.test('a cookie that a neighbour set under a name with a blank in front is not ours (AS-C6)', async (t) => {
  const session = new Map(browser.cookies).get('__Host-mcp-session') ?? ''
  const url = client.authorizationUrl(VERIFIER)

  const honest = await visit(url, [['__Host-mcp-session', session]])
  const tossed = await visit(url, [['a', 'b'], ['\u00A0__Host-mcp-session', session]])

  t.equal(honest.status, 200)
  t.equal(tossed.status, 303, 'nobody is signed in by it')
  t.match(tossed.headers.get('location'), /^\/sign-in/)
})

t.test('a request that names the endpoint as a host is not sent on to that host (AS-A11, mistake 15)', async (t) => {
  const { app } = await oauthApp(t, { server: { routerOptions: { ignoreDuplicateSlashes: true } } })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  let answer = ''
  socket.on('data', (text: string) => { answer += text })
  socket.write(`GET /${authorizationUrl({ prompt: 'login' })} HTTP/1.1\r\nhost: as.example\r\nconnection: close\r\n\r\n`)
  await once(socket, 'close')

  t.match(answer, /^HTTP\/1\.1 303 /)
  t.match(answer, /\nlocation: \/authorize\?/)
})
