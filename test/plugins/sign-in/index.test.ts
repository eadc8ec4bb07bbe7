import t from 'tap'
import { oauthRoutes } from '../../../lib/plugins/oauth-routes/index.js'
import { pkceStore } from '../../../lib/plugins/pkce-store.js'
import { signIn } from '../../../lib/plugins/sign-in/index.js'
import { memoryStore } from '../../../lib/stores/memory.js'
import { buildApp } from '../../helpers/build-app.js'
import { versions } from '../../helpers/fastify-versions.js'
import { fieldsOf } from '../../helpers/markup.js'
import { ISSUER, NAME, PASSWORD, signInApp, visitor } from '../../helpers/sign-in-app.js'

const REQUEST = '/authorize?client_id=c&scope=a+b%20c&state=%2F%2Fx%3D%22'

for (const version of Object.keys(versions)) {
  t.test(`on Fastify ${version} somebody makes the first account, signs out and signs in`, async (t) => {
    const { app } = await signInApp(t, { version })
    const browser = visitor(app)
    const link = new URL(await app.mcpSetUpLink() ?? '')
    const chosen = { name: NAME, password: PASSWORD, password_again: PASSWORD }

    await browser.submit(await browser.open(`${link.pathname}${link.search}`), '/set-up', chosen)
    t.match((await browser.open(REQUEST)).json(), { name: NAME })
    await browser.post('/sign-out', {})
    t.equal((await browser.open(REQUEST)).statusCode, 303)
    t.equal((await browser.signIn()).statusCode, 303)
    t.match((await browser.open(REQUEST)).json(), { name: NAME })
  })
}

t.test('nobody signed in is sent to the sign-in page, and the request is kept to the letter', async (t) => {
  const { app } = await signInApp(t)

  const answer = await visitor(app).open(REQUEST)

  t.equal(answer.statusCode, 303)
  const location = new URL(String(answer.headers.location), ISSUER)
  t.equal(location.pathname, '/sign-in')
  t.equal(location.searchParams.get('return_to'), REQUEST)
})

t.test('nothing is taken from the headers of a proxy', async (t) => {
  const { app } = await signInApp(t)

  const answer = await app.inject({ url: REQUEST, headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example' } })
  const page = await app.inject({ url: '/sign-in', headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example' } })

  t.notMatch(JSON.stringify(answer.headers) + JSON.stringify(page.headers) + page.body, /evil/)
})

t.test('where no page can come in between nobody is sent anywhere', async (t) => {
  const { app } = await signInApp(t)

  const answer = await visitor(app).open('/silent')

  t.equal(answer.statusCode, 200)
  t.same(answer.json(), { user: null })
})

t.test('who is signed in is told by subject, name and time', async (t) => {
  const { app, addAccount, clock } = await signInApp(t)
  const { subject } = await addAccount()
  const browser = visitor(app)
  const at = clock()
  await browser.signIn()
  clock.advance(100)

  const signOutAction = `/sign-out?return_to=${encodeURIComponent(REQUEST)}`
  t.same((await browser.open(REQUEST)).json(), { subject, name: NAME, authenticatedAt: at, amr: ['pwd'], signOutAction })
})

t.test('who signed in too long ago signs in again, also in a browser with a session, and is then recent enough', async (t) => {
  const { app, addAccount, clock } = await signInApp(t)
  await addAccount()
  const browser = visitor(app)
  await browser.signIn()
  clock.advance(100)
  const url = `${REQUEST}&since=${clock()}&hint=Bob%20%22B%22`
  const sent = await browser.open(url)

  t.equal(sent.statusCode, 303)
  t.equal((await browser.open(`/silent?since=${clock()}`)).json().user, null)
  const page = await browser.open(String(sent.headers.location))
  t.match(Object.fromEntries(fieldsOf(page.body)), { name: 'Bob "B"', return_to: url })
  const answer = await browser.submit(page, '/sign-in', { name: NAME, password: PASSWORD })
  t.equal(answer.headers.location, url)
  t.match((await browser.open(url)).json(), { name: NAME, authenticatedAt: clock() })
})

t.test('a session ends as the options say', async (t) => {
  const { app, addAccount, clock } = await signInApp(t, { options: { sessionIdle: 100, sessionAbsolute: 150 } })
  await addAccount()
  const browser = visitor(app)
  await browser.signIn()

  clock.advance(99)
  t.equal((await browser.open('/authorize')).statusCode, 200)
  clock.advance(50)
  t.equal((await browser.open('/authorize')).statusCode, 200)
  clock.advance(1)
  t.equal((await browser.open('/authorize')).statusCode, 303)
})

t.test('a browser has a session of its own at each tenant of an origin', async (t) => {
  const store = memoryStore()
  const nameAt = async (tenant: string) => {
    const { app, addAccount } = await signInApp(t, { store, tenant })
    await addAccount()
    const browser = visitor(app)
    await browser.signIn()
    return [...browser.cookies.keys()].filter((name) => name.includes('session'))
  }

  t.same(await nameAt('default'), ['__Host-mcp-session'])
  t.same(await nameAt('red'), ['__Host-mcp-session-red'])
})

t.test('under an issuer with a path everything is under that path', async (t) => {
  const { app, addAccount } = await signInApp(t, { options: { issuer: `${ISSUER}/t1`, resourceName: 'Notes' } })
  await addAccount()
  const browser = visitor(app, '/t1')

  const page = await browser.open('/t1/sign-in?return_to=/t1/authorize')
  const answer = await browser.submit(page, '/t1/sign-in', { name: NAME, password: PASSWORD })

  t.match(page.body, 'action="/t1/sign-in"')
  t.match(page.body, /Notes/)
  t.equal(answer.headers.location, '/t1/authorize')
  t.match((await browser.open('/t1/sign-in')).body, 'action="/t1/sign-out"')
  t.match((await browser.open('/authorize')).statusCode, 200)
  t.equal((await browser.open('/sign-in')).statusCode, 404)
  t.match((await app.inject('/t1/set-up')).body, 'href="/t1/sign-in"')
})

for (const url of ['/sign-in', '/sign-out', '/set-up']) {
  t.test(`${url} is refused with a page for every method that it does not have`, async (t) => {
    const { app } = await signInApp(t)
    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS'] as const) {
      const answer = await app.inject({ method, url })

      t.equal(answer.statusCode, 405)
      t.match(answer.headers, { allow: /POST/, 'content-type': /text\/html/, 'cache-control': 'no-store' })
      t.equal(answer.headers['access-control-allow-origin'], undefined)
    }
  })
}

t.test('HEAD answers what GET would, without the page', async (t) => {
  const { app } = await signInApp(t)

  const answer = await app.inject({ method: 'HEAD', url: '/sign-in' })

  t.equal(answer.statusCode, 200)
  t.equal(answer.body, '')
})

t.test('the form parser is not for the routes of the host, and a parser of the host is no obstacle', async (t) => {
  const app = buildApp(t)
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, async () => 'read by the host')
  await app.register(pkceStore, { pruneInterval: 0 })
  await app.register(signIn, { issuer: ISSUER })
  app.post('/own', async (request) => request.body)

  const answer = await app.inject({
    method: 'POST', url: '/own', payload: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' }
  })

  t.equal(answer.body, 'read by the host')
  t.equal((await app.inject('/sign-in')).statusCode, 200)
})

t.test('the pages are open in a guarded scope, counted strictly and refused with pages', async (t) => {
  const app = buildApp(t)
  const configs: unknown[] = []
  app.addHook('onRoute', ({ url, config }) => { if (/sign-|set-up/.test(url)) configs.push(config) })
  await app.register(pkceStore, { pruneInterval: 0 })
  await app.register(signIn, { issuer: ISSUER })
  await app.ready()

  t.ok(configs.length >= 8)
  for (const config of configs) t.match(config, { mcpSecurity: { public: true }, mcpLimit: 'sensitive', mcpPage: true })
})

t.test('oauthRoutes asks the built-in accounts when it is given no sign-in', async (t) => {
  const app = buildApp(t)
  await app.register(pkceStore, {
    pruneInterval: 0, clients: [{ clientId: 'house', redirectUris: ['https://house.example/cb'] }]
  })
  await app.register(signIn, { issuer: ISSUER })
  await app.register(oauthRoutes, { issuer: ISSUER, resource: `${ISSUER}/mcp`, scopes: { read: 'Read' } })
  const query = new URLSearchParams({
    response_type: 'code', client_id: 'house', code_challenge: 'a'.repeat(43), code_challenge_method: 'S256'
  })

  const answer = await app.inject(`/authorize?${query.toString()}`)

  t.equal(answer.statusCode, 303)
  t.match(answer.headers.location, /^\/sign-in\?return_to=%2Fauthorize%3Fresponse_type/)
})

const WRONG = {
  'issuer is required': {},
  'issuer must be https': { issuer: 'http://as.example' },
  'issuer must not end': { issuer: `${ISSUER}/` },
  'attempts.max must be': { issuer: ISSUER, attempts: { max: 0, window: 1 } },
  'sessionIdle must be': { issuer: ISSUER, sessionIdle: 'long' },
  'sessionAbsolute must be': { issuer: ISSUER, sessionAbsolute: 1.5 },
  'passwords is not an option': { issuer: ISSUER, passwords: 'plain' },
  'resourceName must be': { issuer: ISSUER, resourceName: '' }
}

for (const [message, options] of Object.entries(WRONG)) {
  t.test(`the boot stops with "${message} ..."`, async (t) => {
    const app = buildApp(t)
    await app.register(pkceStore, { pruneInterval: 0 })
    const register: (plugin: unknown, options: unknown) => Promise<unknown> = async (...input) =>
      await Reflect.apply(app.register, app, input)

    await t.rejects(register(signIn, options), { code: 'MCPS_ERR_INVALID_OPTION', message: new RegExp(`^${message}`) })
  })
}

t.test('the boot stops where the pages would not be at the path of the issuer', async (t) => {
  const app = buildApp(t)
  await app.register(pkceStore, { pruneInterval: 0 })

  await t.rejects(async () => {
    await app.register(async (scope) => { await scope.register(signIn, { issuer: ISSUER }) }, { prefix: '/below' })
  }, { code: 'MCPS_ERR_INVALID_OPTION', message: /^prefix/ })
})

t.test('the boot stops without the PKCE store', async (t) => {
  const app = buildApp(t)

  await t.rejects(async () => { await app.register(signIn, { issuer: ISSUER }) }, { code: 'FST_ERR_PLUGIN_DEPENDENCY_NOT_REGISTERED' })
})
