import t from 'tap'
import { securityHeaders } from '../../lib/plugins/security-headers.js'
import { pageHeaders } from '../../lib/pages/page-headers.js'
import { buildApp } from '../helpers/build-app.js'
import { versions } from '../helpers/fastify-versions.js'

const HEADERS = {
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  'x-robots-tag': 'noindex',
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'strict-transport-security': 'max-age=31536000; includeSubDomains'
}

for (const [version, build] of Object.entries(versions)) {
  t.test(`every answer has the headers, and no other ones, on ${version}`, async (t) => {
    const app = build(t)
    await app.register(securityHeaders)
    app.get('/mcp', async () => ({ ok: true }))

    const { headers } = await app.inject('/mcp')

    const { 'content-type': _type, 'content-length': _length, date: _date, connection: _connection, ...ours } = headers
    t.same(ours, HEADERS)
  })

  t.test(`an event stream on a hijacked reply has the headers, and its own cache-control, on ${version}`, async (t) => {
    const app = build(t)
    await app.register(securityHeaders)
    app.post('/mcp', async (_request, reply) => {
      reply.hijack()
      reply.raw.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache, no-transform' })
      reply.raw.end('data: {}\n\n')
    })
    const origin = await app.listen({ port: 0, host: '127.0.0.1' })

    const { headers } = await fetch(`${origin}/mcp`, { method: 'POST' })

    t.match(Object.fromEntries(headers), { ...HEADERS, 'cache-control': 'no-cache, no-transform' })
  })
}

t.test('answers to what was never handled have the headers too', async (t) => {
  const app = buildApp(t)
  await app.register(securityHeaders)
  app.post('/mcp', async () => { throw new Error('a bug') })

  t.match(await app.inject('/nothing'), { statusCode: 404, headers: HEADERS })
  t.match(await app.inject({ method: 'POST', url: '/mcp' }), { statusCode: 500, headers: HEADERS })
  t.match(await app.inject({ method: 'POST', url: '/mcp', payload: '{', headers: { 'content-type': 'application/json' } }),
    { statusCode: 400, headers: HEADERS })
})

t.test('what a handler sets wins, so that a page keeps its own policy', async (t) => {
  const app = buildApp(t)
  await app.register(securityHeaders)
  app.get('/page', async (_request, reply) => reply.headers(pageHeaders([])).send('<p>page</p>'))
  app.get('/keys', async (_request, reply) => reply.header('cache-control', 'public, max-age=300').send({ keys: [] }))

  t.match((await app.inject('/page')).headers, pageHeaders([]))
  t.equal((await app.inject('/keys')).headers['cache-control'], 'public, max-age=300')
})

t.test('the host\'s routes outside of the scope stay as they are', async (t) => {
  const app = buildApp(t)
  await app.register(async (scope) => { await scope.register(securityHeaders) })
  app.get('/other', async () => 'ok')

  const { headers } = await app.inject('/other')

  for (const name of Object.keys(HEADERS)) t.notOk(name in headers, name)
})

t.test('HSTS is as long as it is told, and left out at 0', async (t) => {
  const short = buildApp(t)
  const without = buildApp(t)
  await short.register(securityHeaders, { hstsMaxAge: 300 })
  await without.register(securityHeaders, { hstsMaxAge: 0 })

  t.equal((await short.inject('/')).headers['strict-transport-security'], 'max-age=300; includeSubDomains')
  t.notOk('strict-transport-security' in (await without.inject('/')).headers)
})

for (const hstsMaxAge of [-1, 1.5, NaN]) {
  t.test(`hstsMaxAge ${hstsMaxAge} stops the boot`, async (t) => {
    const app = buildApp(t)

    await t.rejects(async () => { await app.register(securityHeaders, { hstsMaxAge }) },
      { code: 'MCPS_ERR_INVALID_OPTION', message: /^securityHeaders\.hstsMaxAge/ })
  })
}
