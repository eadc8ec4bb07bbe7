import t from 'tap'
import type { CorsOptions } from '../../types/options.js'
import { cors } from '../../lib/plugins/cors.js'
import { originGuard } from '../../lib/plugins/origin-guard.js'
import { buildApp, type Teardown } from '../helpers/build-app.js'
import { versions } from '../helpers/fastify-versions.js'
import { slowHost } from '../helpers/slow-host.js'

const app = 'https://app.example.com'
const listed = { origins: [app] }
const preflight = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization, mcp-param-a, x-b' }
const open = (mcpCors?: 'public' | 'none') =>
  ({ config: { mcpSecurity: { public: true }, ...(mcpCors === undefined ? {} : { mcpCors }) } })

async function host (t: Teardown, options: CorsOptions = listed, app = buildApp(t)) {
  await app.register(cors, options)
  app.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.config.mcpSecurity?.public !== true && request.headers.authorization === undefined) {
      return await reply.code(401).header('www-authenticate', 'Bearer').send()
    }
  })
  const calls = slowHost(app)
  const { handler } = calls
  app.all('/mcp', handler)
  app.all('/open', open(), handler)
  app.all('/public', open('public'), handler)
  app.all('/none', open('none'), handler)
  return { app, calls }
}

const corsOf = (headers: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-')))

for (const [version, build] of Object.entries(versions)) {
  t.test(`a preflight of a guarded route is answered before authentication, and not handled, on ${version}`, async (t) => {
    const { app: server, calls } = await host(t, listed, build(t))

    const response = await server.inject({ method: 'OPTIONS', url: '/mcp', headers: { ...preflight, origin: app } })

    t.equal(response.statusCode, 204)
    t.match(response.headers, {
      vary: 'Origin',
      'access-control-allow-origin': app,
      'access-control-allow-methods': 'POST, GET, DELETE, OPTIONS',
      'access-control-allow-headers': /authorization, .*, mcp-param-a$/,
      'access-control-max-age': '7200'
    })
    t.equal(calls.handled, 0)
  })

  t.test(`a preflight of a public route is answered for every origin, and not handled, on ${version}`, async (t) => {
    const { app: server, calls } = await host(t, listed, build(t))

    const response = await server.inject({ method: 'OPTIONS', url: '/public', headers: { ...preflight, origin: 'https://x.example' } })

    t.equal(response.statusCode, 204)
    t.match(response.headers, { 'access-control-allow-origin': '*', 'access-control-allow-methods': 'GET, POST, OPTIONS' })
    t.equal(calls.handled, 0)
  })
}

t.test('a listed origin reads an answer and a refusal', async (t) => {
  const { app: server } = await host(t)
  const headers = {
    vary: 'Origin',
    'access-control-allow-origin': app,
    'access-control-expose-headers': 'www-authenticate, mcp-session-id, dpop-nonce, mcp-protocol-version, retry-after'
  }

  t.match(await server.inject({ method: 'POST', url: '/mcp', headers: { origin: app, authorization: 'Bearer x' } }),
    { statusCode: 200, headers })
  t.match(await server.inject({ method: 'POST', url: '/mcp', headers: { origin: app } }), { statusCode: 401, headers })
  t.match(await server.inject({ url: '/nothing', headers: { origin: app, authorization: 'Bearer x' } }),
    { statusCode: 404, headers })
})

t.test('a listed origin reads a hijacked event stream', async (t) => {
  const server = buildApp(t)
  await server.register(cors, listed)
  server.post('/mcp', async (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: x\n\n')
  })
  const address = await server.listen({ port: 0, host: '127.0.0.1' })

  const response = await fetch(`${address}/mcp`, { method: 'POST', headers: { origin: app } })

  t.equal(response.headers.get('access-control-allow-origin'), app)
  t.equal(response.headers.get('vary'), 'Origin')
})

t.test('another origin reads nothing, and its preflight is an unauthenticated request', async (t) => {
  const { app: server, calls } = await host(t)
  const origin = 'https://app.example.com.evil.example'

  const response = await server.inject({ method: 'OPTIONS', url: '/mcp', headers: { ...preflight, origin } })
  const post = await server.inject({ method: 'POST', url: '/mcp', headers: { origin } })

  t.equal(response.statusCode, 401)
  t.same(corsOf(response.headers), {})
  t.same(corsOf(post.headers), {})
  t.equal(post.headers.vary, 'Origin')
  t.equal(calls.handled, 0)
})

for (const headers of [{}, { origin: app }, { 'access-control-request-method': 'POST' }]) {
  t.test(`OPTIONS with ${JSON.stringify(headers)} is no preflight and needs a token`, async (t) => {
    const { app: server } = await host(t)

    t.equal((await server.inject({ method: 'OPTIONS', url: '/mcp', headers })).statusCode, 401)
  })
}

t.test('a request that comes from no page gets no CORS headers; what a cache may keep varies', async (t) => {
  const { app: server } = await host(t)
  const headers = { authorization: 'Bearer x' }
  const post = await server.inject({ method: 'POST', url: '/mcp', headers })
  const get = await server.inject({ method: 'GET', url: '/mcp', headers })

  t.same(corsOf({ ...post.headers, ...get.headers }), {})
  t.notOk('vary' in post.headers)
  t.equal(get.headers.vary, 'Origin')
})

t.test('a public document may be read by everybody, from a shared cache too', async (t) => {
  const { app: server } = await host(t)

  for (const headers of [{}, { origin: 'https://x.example' }, { origin: 'null' }]) {
    const response = await server.inject({ url: '/public', headers })

    t.equal(response.headers['access-control-allow-origin'], '*')
    t.equal(response.headers['access-control-expose-headers'], 'www-authenticate, dpop-nonce, retry-after')
    t.notOk('vary' in response.headers)
  }
})

for (const url of ['/none', '/open']) {
  t.test(`no page may read ${url}, whose route does not say that it is public (AS-A13)`, async (t) => {
    const { app: server } = await host(t)

    const get = await server.inject({ url, headers: { origin: app } })
    const options = await server.inject({ method: 'OPTIONS', url, headers: { ...preflight, origin: app } })

    t.same(corsOf({ ...get.headers, ...options.headers }), {})
    t.equal(options.statusCode, 200)
  })
}

t.test('what an answer varied by before stays', async (t) => {
  const server = buildApp(t)
  server.addHook('onRequest', async (_request, reply) => { reply.header('vary', 'Accept-Encoding') })
  await server.register(cors, listed)
  server.get('/mcp', async () => 'ok')

  t.equal((await server.inject('/mcp')).headers.vary, 'Accept-Encoding, Origin')
})

t.test('the host\'s paths outside of the scope stay as they are', async (t) => {
  const server = buildApp(t)
  await server.register(async (scope) => { await scope.register(cors, listed) })
  server.get('/other', async () => 'ok')

  const response = await server.inject({ method: 'OPTIONS', url: '/other', headers: { ...preflight, origin: app } })

  t.equal(response.statusCode, 404)
  t.same(corsOf(response.headers), {})
})

t.test('the list of the origin guard is the list', async (t) => {
  const server = buildApp(t)
  await server.register(originGuard, { issuer: 'https://mcp.example.com', resource: 'https://mcp.example.com/mcp', ...listed })
  await server.register(cors)
  server.post('/mcp', async () => 'ok')
  const post = async (origin: string) =>
    await server.inject({ method: 'POST', url: '/mcp', headers: { host: 'mcp.example.com', origin } })

  t.equal((await post(app)).headers['access-control-allow-origin'], app)
  t.equal((await post('https://mcp.example.com')).headers['access-control-allow-origin'], 'https://mcp.example.com')
  t.match(await post('https://x.example'), { statusCode: 403 })
})

t.test('without a list no page reads guarded answers', async (t) => {
  const { app: server } = await host(t, {})

  t.same(corsOf((await server.inject({ url: '/mcp', headers: { origin: app } })).headers), {})
})

t.test('an origin that the origin guard refuses stops the boot', async (t) => {
  const server = buildApp(t)
  await server.register(originGuard, { issuer: 'https://mcp.example.com', resource: 'https://mcp.example.com/mcp' })

  await t.rejects(async () => { await server.register(cors, listed) },
    { code: 'MCPS_ERR_INVALID_OPTION', message: /^cors\.origins holds https:\/\/app\.example\.com/ })
})

for (const [path, options] of Object.entries({ 'origins.0': { origins: ['*'] }, credentials: { credentials: true } })) {
  t.test(`a wrong cors.${path} stops the boot`, async (t) => {
    const server = buildApp(t)

    await t.rejects(async () => { await server.register(cors, options) },
      { code: 'MCPS_ERR_INVALID_OPTION', message: new RegExp(`^cors\\.${path.replace('.', '\\.')}`) })
  })
}
