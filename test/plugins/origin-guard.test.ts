import http2 from 'node:http2'
import { once } from 'node:events'
import t from 'tap'
import Fastify, { type FastifyInstance } from 'fastify'
import type { AuditEvent } from '../../types/audit.js'
import type { OriginGuardOptions, OriginGuardSetup } from '../../types/options.js'
import { auditHook } from '../../lib/plugins/audit-hook.js'
import { originGuard } from '../../lib/plugins/origin-guard.js'
import { buildApp, type Teardown } from '../helpers/build-app.js'
import { versions } from '../helpers/fastify-versions.js'
import { rawRequest } from '../helpers/raw-request.js'
import { slowHost } from '../helpers/slow-host.js'

const server = { issuer: 'https://mcp.example.com', resource: 'https://mcp.example.com/mcp' }
const host = 'mcp.example.com'
const open = { config: { mcpSecurity: { public: true } } }
const page = { config: { mcpSecurity: { public: true }, mcpPage: true } }

async function guarded (t: Teardown, options: Partial<OriginGuardSetup> = {}, app = buildApp(t)) {
  const events: AuditEvent[] = []
  await app.register(auditHook, { log: false, sink: (event) => { events.push(event) } })
  await app.register(originGuard, { ...server, ...options })
  const calls = slowHost(app)
  const { handler } = calls
  app.all('/mcp', handler)
  app.get('/open', open, handler)
  app.get('/page', page, handler)
  return { app, events, calls }
}

const REFUSED = {
  'a foreign host': { host: 'evil.example' },
  'a foreign host with the right origin': { host: 'evil.example', origin: 'https://mcp.example.com' },
  'a rebound host': { host: 'mcp.example.com.evil.example' },
  'a host with a user': { host: 'mcp.example.com:80@evil.example' },
  'loopback, when the server is elsewhere': { host: 'localhost:3000' },
  'a foreign origin': { host, origin: 'https://evil.example' },
  'the null origin': { host, origin: 'null' },
  'an origin with a longer name': { host, origin: 'https://mcp.example.com.evil.example' },
  'an origin with another scheme': { host, origin: 'http://mcp.example.com' },
  'an origin on loopback': { host, origin: 'http://127.0.0.1:9999' },
  'an empty origin': { host, origin: '' }
}

for (const [version, build] of Object.entries(versions)) {
  for (const [name, headers] of Object.entries(REFUSED)) {
    t.test(`${name} is refused by every method before the handler, on ${version}`, async (t) => {
      const { app, events, calls } = await guarded(t, {}, build(t))

      for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS', 'PUT', 'HEAD'] as const) {
        const response = await app.inject({ method, url: '/mcp', headers })

        t.equal(response.statusCode, 403)
        if (method !== 'HEAD') {
          t.match(response.json(), { jsonrpc: '2.0', error: { code: -32000, message: /is not allowed$/ }, id: null })
        }
        t.equal(response.headers['cache-control'], 'no-store')
      }
      t.equal(calls.handled, 0)
      t.same(events.map(({ type }) => type), Array(6).fill('origin.refused'))
    })
  }
}

t.test('the refusal says nothing of what was sent, the event only why', async (t) => {
  const { app, events } = await guarded(t)

  const response = await app.inject({ url: '/mcp', headers: { host, origin: 'https://evil.example' } })
  await app.inject({ url: '/mcp', headers: { host: 'evil.example' } })

  t.notMatch(JSON.stringify([response.body, events]), /evil/)
  t.match(events, [{ reason: 'foreign origin', outcome: 'denied' }, { reason: 'foreign host' }])
})

const PASSES: Record<string, [OriginGuardOptions, Record<string, string>]> = {
  'no origin: no web page': [{}, { host }],
  'the server\'s own origin': [{}, { host, origin: 'https://mcp.example.com' }],
  'a listed origin': [{ origins: ['https://app.example.com'] }, { host, origin: 'https://app.example.com' }],
  'a host in other letters, with its port': [{}, { host: 'MCP.example.com:443' }],
  'a listed host': [{ hosts: ['internal:8080'] }, { host: 'internal:8080' }]
}

for (const [name, [options, headers]] of Object.entries(PASSES)) {
  t.test(`${name} passes`, async (t) => {
    const { app } = await guarded(t, options)

    t.equal((await app.inject({ method: 'POST', url: '/mcp', headers })).statusCode, 200)
  })
}

t.test('open routes and pages may be called from every origin, but under our host only', async (t) => {
  const { app } = await guarded(t)
  const origin = 'https://evil.example'

  t.equal((await app.inject({ url: '/open', headers: { host, origin } })).statusCode, 200)
  t.equal((await app.inject({ url: '/page', headers: { host, origin } })).statusCode, 200)
  const client = await app.inject({ url: '/open', headers: { host: 'evil.example' } })
  const person = await app.inject({ url: '/page', headers: { host: 'evil.example' } })

  t.equal(client.statusCode, 403)
  t.match(client.json(), { error: 'invalid_request', error_description: 'The host is not allowed' })
  t.equal(person.statusCode, 403)
  t.match(person.headers['content-type'], /^text\/html/)
})

t.test('a path in other spelling is guarded all the same', async (t) => {
  const { app, calls } = await guarded(t)

  for (const url of ['/%6dcp', '/mcp?x=1', '/%6D%63%70']) {
    t.equal((await app.inject({ url, headers: { host, origin: 'https://evil.example' } })).statusCode, 403, url)
  }
  t.equal(calls.handled, 0)
})

const ON_THE_WIRE: Record<string, [string[], number]> = {
  'the right host': [['POST /mcp HTTP/1.1', `Host: ${host}`], 200],
  'two Host lines': [['POST /mcp HTTP/1.1', `Host: ${host}`, `Host: ${host}`], 403],
  'two Host lines, the second one foreign': [['POST /mcp HTTP/1.1', `Host: ${host}`, 'host: evil.example'], 403],
  'an empty Host line': [['POST /mcp HTTP/1.1', 'Host: '], 403],
  'no Host line': [['POST /mcp HTTP/1.0'], 403],
  'a foreign target in absolute form': [['POST http://evil.example/mcp HTTP/1.1', `Host: ${host}`], 403],
  'our target in absolute form under a foreign host': [[`POST http://${host}/mcp HTTP/1.1`, 'Host: evil.example'], 403],
  'two Origin lines': [['POST /mcp HTTP/1.1', `Host: ${host}`, 'Origin: https://mcp.example.com', 'Origin: https://mcp.example.com'], 403],
  'a forwarded host': [['POST /mcp HTTP/1.1', 'Host: evil.example', `X-Forwarded-Host: ${host}`], 403]
}

for (const [name, [lines, status]] of Object.entries(ON_THE_WIRE)) {
  t.test(`${name}: ${status}`, async (t) => {
    const { app } = await guarded(t)
    await app.listen({ port: 0, host: '127.0.0.1' })

    t.equal(await rawRequest(app, lines), status)
  })
}

t.test('a server on loopback is reached by loopback names, a rebound name is refused', async (t) => {
  const { app } = await guarded(t, { issuer: 'http://127.0.0.1:3000', resource: 'http://127.0.0.1:3000/mcp' })
  await app.listen({ port: 0, host: '127.0.0.1' })

  t.equal(await rawRequest(app, ['GET /mcp HTTP/1.1', 'Host: localhost:3000']), 200)
  t.equal(await rawRequest(app, ['GET /mcp HTTP/1.1', 'Host: [::1]:8080']), 200)
  t.equal(await rawRequest(app, ['GET /mcp HTTP/1.1', 'Host: localhost.evil.example:3000']), 403)
})

t.test('over HTTP/2 the authority is the host', async (t) => {
  const app = Fastify({ http2: true }) as unknown as FastifyInstance
  t.teardown(async () => { await app.close() })
  await guarded(t, {}, app)
  const session = http2.connect(await app.listen({ port: 0, host: '127.0.0.1' }))
  t.teardown(() => { session.destroy() })
  const status = async (authority: string) => {
    const stream = session.request({ ':path': '/open', ':authority': authority })
    const [headers] = await once(stream, 'response')
    stream.close()
    return headers[':status']
  }

  t.equal(await status(host), 200)
  t.equal(await status('evil.example'), 403)
})

const WRONG = {
  'originGuard.origins.0': { origins: ['https://app.example.com/'] },
  'originGuard.hosts.1': { hosts: ['ok.example', 'https://x.example'] },
  'originGuard.origin ': { origin: [] },
  'issuer ': { issuer: 'http://mcp.example.com' },
  'resource ': { resource: 'mcp' }
}

for (const [path, options] of Object.entries(WRONG)) {
  t.test(`a wrong ${path.trim()} stops the boot`, async (t) => {
    const app = buildApp(t)

    await t.rejects(async () => { await app.register(originGuard, { ...server, ...options }) },
      { code: 'MCPS_ERR_INVALID_OPTION', message: new RegExp(`^${path.replaceAll('.', '\\.')}`) })
  })
}
