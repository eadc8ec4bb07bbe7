import { EventEmitter, once } from 'node:events'
import t from 'tap'
import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import type { AuditEvent, AuditHookOptions } from '../../types/audit.js'
import { auditHook } from '../../lib/plugins/audit-hook.js'
import { buildApp, type Teardown } from '../helpers/build-app.js'
import { stoppedClock } from '../helpers/clock.js'
import { versions } from '../helpers/fastify-versions.js'

const open = { config: { mcpSecurity: { public: true } } }

async function audited (app: FastifyInstance, options: AuditHookOptions = {}): Promise<AuditEvent[]> {
  const events: AuditEvent[] = []
  const sink = (event: AuditEvent) => { events.push(event) }
  await app.register(auditHook, { log: false, clock: stoppedClock(), sink, ...options })
  return events
}

t.test('a decision goes out at once, with the facts of its request', async (t) => {
  const app = buildApp(t)
  const events = await audited(app, { tenant: 'acme' })
  app.post('/mcp/:id', async (request) => {
    request.audit({ type: 'access.denied', reason: 'insufficient-scope', operation: 'tools/call add_note' })
    return events.length
  })

  const response = await app.inject({ method: 'POST', url: '/mcp/1?code=secret', remoteAddress: '192.0.2.7' })

  t.equal(response.body, '1')
  t.match(events, [{
    type: 'access.denied',
    outcome: 'denied',
    at: 1_700_000_000,
    tenant: 'acme',
    reason: 'insufficient-scope',
    operation: 'tools/call add_note',
    requestId: 'req-1',
    method: 'POST',
    route: '/mcp/:id',
    address: '192.0.2.7'
  }])
  t.notMatch(JSON.stringify(events), /secret/)
})

t.test('a route may say how it is named', async (t) => {
  const app = buildApp(t)
  const events = await audited(app)
  app.get('/mcp:none(^$)', { config: { mcpName: '/mcp' } }, async () => 'ok')

  await app.inject('/mcp')

  t.match(events, [{ type: 'request.completed', route: '/mcp' }])
})

t.test('every event has an id of its own', async (t) => {
  const app = buildApp(t)
  const events = await audited(app)
  app.get('/', async (request) => {
    request.audit({ type: 'leniency.used' })
    request.audit({ type: 'leniency.used' })
  })

  await app.inject('/')

  t.equal(new Set(events.map((event) => event.id)).size, 2)
})

t.test('what belongs to no request is reported without its facts', async (t) => {
  const app = buildApp(t)
  const events = await audited(app)

  app.mcpAudit({ type: 'key.created' })

  t.match(events, [{ type: 'key.created', requestId: null, method: null, route: null, address: null }])
})

t.test('a request with an event of its own gets no other one', async (t) => {
  const app = buildApp(t)
  const events = await audited(app)
  app.get('/mcp', async (request, reply) => {
    request.audit({ type: 'access.denied' })
    return reply.code(403).send()
  })

  await app.inject('/mcp')

  t.same(events.map((event) => event.type), ['access.denied'])
})

for (const [version, build] of Object.entries(versions)) {
  t.test(`a guarded request without an event is reported once when it was served, on ${version}`, async (t) => {
    const app = build(t)
    const events = await audited(app)
    app.get('/mcp', async () => 'ok')

    await app.inject('/mcp')
    await new Promise((resolve) => { setImmediate(resolve) })

    t.same(events.map((event) => event.type), ['request.completed'])
  })

  t.test(`an open request that was served is not reported, on ${version}`, async (t) => {
    const app = build(t)
    const events = await audited(app)
    app.get('/open', open, async () => 'ok')

    await app.inject('/open')
    await new Promise((resolve) => { setImmediate(resolve) })

    t.same(events, [])
  })
}

const REFUSALS = {
  'malformed JSON': { payload: '{', headers: { 'content-type': 'application/json' }, reason: 'status 400' },
  'a content type without a parser': { payload: 'x', headers: { 'content-type': 'text/csv' }, reason: 'status 415' },
  'a body over the limit': { payload: 'x'.repeat(200), headers: { 'content-type': 'text/plain' }, reason: 'status 413' },
  'an error of the handler': { payload: '"x"', headers: { 'content-type': 'application/json' }, reason: 'status 500' }
}

for (const [name, { reason, ...input }] of Object.entries(REFUSALS)) {
  t.test(`${name} is reported as refused, on an open route too`, async (t) => {
    const app = buildApp(t, { bodyLimit: 100 })
    const events = await audited(app)
    app.post('/open', open, async () => { throw new Error('a bug') })

    await app.inject({ method: 'POST', url: '/open', ...input })

    t.match(events, [{ type: 'request.refused', outcome: 'denied', reason, route: '/open' }])
    t.equal(events.length, 1)
  })
}

t.test('a path that the scope does not know is reported without a route', async (t) => {
  const app = buildApp(t)
  const events = await audited(app)

  await app.inject('/nothing?token=secret')

  t.match(events, [{ type: 'request.refused', reason: 'status 404', route: null }])
})

function streaming (t: Teardown) {
  const app = buildApp(t)
  const reports = new EventEmitter()
  const all = ['GET', 'POST'] as const
  app.register(auditHook, { log: false, sink: (event) => { reports.emit('event', event) } })
  app.register(async (scope) => {
    scope.route({
      method: [...all],
      url: '/mcp',
      handler: async (_request, reply) => {
        reply.hijack()
        reply.raw.writeHead(200, { 'content-type': 'text/event-stream' }).write(': open\n\n')
      }
    })
  })
  return { app, reports }
}

for (const request of [{ method: 'GET' }, { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } }]) {
  t.test(`an event stream after a ${request.method} that the client leaves is reported as aborted`, async (t) => {
    const { app, reports } = streaming(t)
    const origin = await app.listen({ port: 0, host: '127.0.0.1' })
    const client = new AbortController()
    const response = await fetch(`${origin}/mcp`, { ...request, signal: client.signal })
    await response.body?.getReader().read()

    const reported = once(reports, 'event')
    client.abort()

    t.match(await reported, [{ type: 'request.aborted', method: request.method, route: '/mcp' }])
  })
}

t.test('a request over a connection is reported once', async (t) => {
  const app = buildApp(t)
  const events = await audited(app)
  app.get('/mcp', async () => 'ok')
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })

  await (await fetch(`${origin}/mcp`)).text()
  await app.close()

  t.same(events.map((event) => event.type), ['request.completed'])
})

function logging (t: Teardown) {
  const lines: string[] = []
  const app = buildApp(t, { logger: { level: 'info', stream: { write: (line: string) => { lines.push(line) } } } })
  return { app, lines }
}

t.test('events go to the logger of the app', async (t) => {
  const { app, lines } = logging(t)
  await app.register(auditHook)

  app.mcpAudit({ type: 'consent.denied', subject: 'alice' })

  t.match(lines.map((line) => JSON.parse(line)), [
    { level: 40, msg: 'consent.denied', mcpAudit: { type: 'consent.denied', subject: 'alice', tenant: 'default' } }
  ])
})

t.test('the log can be left out', async (t) => {
  const { app, lines } = logging(t)
  await app.register(auditHook, { log: false })

  app.mcpAudit({ type: 'consent.denied', subject: 'alice' })

  t.same(lines, [])
})

for (const [name, sink] of Object.entries({
  'a sink that throws': () => { throw new Error('the disk is full') },
  'a sink that rejects': async () => { throw new Error('the disk is full') },
  'a sink that never answers': async () => await new Promise<void>(() => {})
})) {
  t.test(`${name} does not change the answer`, async (t) => {
    const app = buildApp(t)
    await app.register(auditHook, { log: false, sink })
    app.get('/mcp', async (request) => {
      request.audit({ type: 'access.allowed' })
      return 'served'
    })

    const response = await app.inject('/mcp')

    t.equal(response.statusCode, 200)
    t.equal(response.body, 'served')
  })
}

t.test('an option that does not exist stops the boot', async (t) => {
  const app = buildApp(t)

  await t.rejects(async () => { await app.register(auditHook, JSON.parse('{"sinks":[]}')) }, { code: 'MCPS_ERR_INVALID_OPTION', message: /^audit\.sinks/ })
})

t.test('a part that is registered before the audit hook stops the boot', async (t) => {
  const app = buildApp(t)
  await app.register(fp(async () => {}, { name: 'mcp-security-scope-guard' }))

  await t.rejects(async () => { await app.register(auditHook) }, { code: 'MCPS_ERR_PART_ORDER', message: /scope-guard/ })
})
