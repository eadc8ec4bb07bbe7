import type { FastifyInstance, InjectOptions } from 'fastify'
import t from 'tap'
import { bindId } from '../../../lib/crypto/bound-id.js'
import { deriveSecrets } from '../../../lib/crypto/secrets.js'
import { auditHook } from '../../../lib/plugins/audit-hook.js'
import { scopeGuard } from '../../../lib/plugins/scope-guard.js'
import type { AuditEvent } from '../../../types/audit.js'
import type { ScopeGuardOptions } from '../../../types/options.js'
import type { Teardown } from '../../helpers/build-app.js'
import { versions } from '../../helpers/fastify-versions.js'
import { bearer, call, guardOptions, principalWith } from '../../helpers/guard.js'
import { modernCall, modernHeaders } from '../../helpers/modern.js'

interface Guarded {
  readonly app: FastifyInstance
  readonly events: AuditEvent[]
  /** What the handlers were given. */
  readonly handled: { readonly headers: object, readonly rawHeaders: readonly string[] }[]
}

type Build = (t: Teardown) => FastifyInstance

async function guarded (t: Teardown, build: Build, more: Partial<ScopeGuardOptions> = {}): Promise<Guarded> {
  const app = build(t)
  const events: AuditEvent[] = []
  const handled: Guarded['handled'] = []
  await app.register(auditHook, { log: false, sink: (event) => { events.push(event) } })
  await app.register(scopeGuard, guardOptions(more))
  app.route({
    method: ['GET', 'POST', 'DELETE'],
    url: '/mcp',
    handler: async ({ headers, raw }) => { handled.push({ headers, rawHeaders: raw.rawHeaders }); return 'handled' }
  })
  app.post('/notes', async () => 'handled')
  return { app, events, handled }
}

const post = (payload: object, headers: Record<string, string> = {}): InjectOptions =>
  ({ method: 'POST', url: '/mcp', headers: { ...bearer('reader'), ...headers }, payload })

const SEARCH = modernCall('tools/call', { name: 'search' })
const SESSION = { 'Mcp-Session-Id': 'session-1', 'Last-Event-ID': 'event-1' }

for (const [version, build] of Object.entries(versions)) {
  t.test(`Fastify ${version}: a modern call whose headers say what its body says is handled, without its session (TR-4)`, async (t) => {
    const { app, handled } = await guarded(t, build)

    const response = await app.inject(post(SEARCH, { ...modernHeaders(SEARCH), ...SESSION }))

    t.equal(response.body, 'handled')
    const [{ headers, rawHeaders } = { headers: {}, rawHeaders: [] }] = handled
    t.match(headers, { 'mcp-name': 'search', 'mcp-session-id': undefined, 'last-event-id': undefined })
    t.notMatch(rawHeaders.join(' ').toLowerCase(), /session|event/)
    t.equal((await app.inject(post(SEARCH, modernHeaders(SEARCH)))).body, 'handled')
  })

  t.test(`Fastify ${version}: a legacy call keeps its session`, async (t) => {
    const secret = 'a secret of more than thirty-two characters'
    const { app, handled } = await guarded(t, build, { secrets: [secret] })
    const own = { kind: 'session', owner: principalWith([]) } as const
    const session = bindId(deriveSecrets([secret]), own, 'session-1')

    await app.inject(post(call('tools/call', { name: 'search' }), { 'Mcp-Session-Id': session }))

    t.match(handled, [{ headers: { 'mcp-session-id': 'session-1' } }])
  })

  t.test(`Fastify ${version}: headers that say something else are 400, reported, and nothing is handled (mistake 17)`, async (t) => {
    const { app, events, handled } = await guarded(t, build)

    const response = await app.inject(post(SEARCH, { ...modernHeaders(SEARCH), 'mcp-name': 'whoami' }))

    t.equal(response.statusCode, 400)
    t.same(response.json(), { jsonrpc: '2.0', id: 1, error: { code: -32020, message: 'The headers and the body of the request disagree' } })
    t.equal(response.headers['cache-control'], 'no-store')
    t.strictSame(handled, [])
    t.match(events, [{ type: 'request.refused', reason: 'name header and body disagree', subject: 'user-1' }])
    t.equal(events.length, 1)
  })

  t.test(`Fastify ${version}: other HTTP methods with a modern header are 405, after the token was asked for (TR-4)`, async (t) => {
    const { app, handled } = await guarded(t, build)

    for (const method of ['GET', 'DELETE', 'HEAD'] as const) {
      const headers = { 'mcp-protocol-version': '2026-07-28', ...SESSION }
      t.equal((await app.inject({ method, url: '/mcp', headers })).statusCode, 401)
      const response = await app.inject({ method, url: '/mcp', headers: { ...headers, ...bearer('reader') } })
      t.equal(response.statusCode, 405)
      t.equal(response.headers.allow, 'POST')
    }
    t.strictSame(handled, [])
  })
}

const newest = (t: Teardown) => versions.newest?.(t) ?? t as never

t.test('an unsupported version is answered with those that are spoken (TR-5)', async (t) => {
  const { app, handled } = await guarded(t, newest)
  const later = modernCall('tools/call', { name: 'search' }, { version: '2027-01-01' })

  const response = await app.inject(post(later, modernHeaders(later)))

  t.equal(response.statusCode, 400)
  t.match(response.json(), { id: 1, error: { code: -32022, data: { supported: ['2026-07-28'], requested: '2027-01-01' } } })
  t.strictSame(handled, [])
})

t.test('a method that the modern era does not have is 404, also when it names nothing (TR-5)', async (t) => {
  const { app, events, handled } = await guarded(t, newest)

  for (const method of ['initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'tasks/result', 'notes/add']) {
    const message = modernCall(method)
    const response = await app.inject(post(message, modernHeaders(message)))
    t.equal(response.statusCode, 404)
    t.match(response.json(), { id: 1, error: { code: -32601 } })
  }

  t.strictSame(handled, [])
  t.match(events[0], { type: 'request.refused', reason: 'unknown method' })
})

t.test('an argument that a rule mirrors in a header has to stand there too (TR-7)', async (t) => {
  const components = [{ tool: 'deploy', scopes: [], headers: { Region: 'region', Count: 'count' } }, { tool: 'search', scopes: [] }]
  const { app, events, handled } = await guarded(t, newest, { components })
  const deploy = (args?: object) => modernCall('tools/call', { name: 'deploy', arguments: args })
  const send = async (args: object | undefined, headers: Record<string, string>) =>
    (await app.inject(post(deploy(args), { ...modernHeaders(deploy(args)), ...headers }))).statusCode

  t.equal(await send({ region: 'west', count: 2 }, { 'Mcp-Param-Region': 'west', 'mcp-param-count': '2.0' }), 200)
  t.equal(await send({ region: null }, { 'Mcp-Param-Unknown': 'x' }), 200)
  t.equal(await send(undefined, {}), 200)
  t.equal(handled.length, 3)
  t.equal(await send({ region: 'west' }, {}), 400)
  t.equal(await send({ region: 'west' }, { 'Mcp-Param-Region': 'east' }), 400)
  t.equal(await send({ region: 'west', count: 2 }, { 'Mcp-Param-Region': 'west', 'Mcp-Param-Count': '3' }), 400)
  t.equal(handled.length, 3)
  t.match(events.at(-1), { type: 'request.refused', reason: 'parameter header and body disagree' })
  t.equal((await app.inject(post(SEARCH, modernHeaders(SEARCH)))).body, 'handled', 'another tool has no such headers')
  const plain = modernCall('server/discover')
  t.equal((await app.inject(post(plain, modernHeaders(plain)))).body, 'handled')
})

t.test('a legacy call has no such headers, and one that disagrees means nothing', async (t) => {
  const { app } = await guarded(t, newest, { components: [{ tool: 'deploy', scopes: [], headers: { Region: 'region' } }] })
  const deploy = call('tools/call', { name: 'deploy', arguments: { region: 'west' } })
  t.equal((await app.inject(post(deploy))).body, 'handled')
  t.equal((await app.inject(post(deploy, { 'Mcp-Param-Region': 'east' }))).body, 'handled')
})

t.test('with report-only such a method passes, and headers that say something else do not', async (t) => {
  const { app, events, handled } = await guarded(t, newest, { reportOnly: true })
  const message = modernCall('notes/add')

  t.equal((await app.inject(post(message, { ...modernHeaders(message), ...SESSION }))).body, 'handled')
  t.match(events, [{ type: 'access.would-be-denied', reason: 'unknown-method' }])
  t.match(handled, [{ headers: { 'mcp-session-id': undefined } }])
  t.equal((await app.inject(post(message, modernHeaders(SEARCH)))).statusCode, 400)
  t.equal(handled.length, 1)
})

t.test('a legacy method of nobody stays 403', async (t) => {
  const { app } = await guarded(t, newest)
  const response = await app.inject(post(call('notes/add')))
  t.equal(response.statusCode, 403)
  t.match(response.json(), { error: { code: -32601 } })
})

t.test('metadata that is incomplete is 400 with what is missing (TR-5)', async (t) => {
  const { app } = await guarded(t, newest)

  const response = await app.inject(post(call('tools/list'), modernHeaders(call('tools/list'))))

  t.equal(response.statusCode, 400)
  t.match(response.json(), { error: { code: -32602, data: { envelope: { missing: { length: 2 } } } } })
})

t.test('what is malformed in every revision is refused as that, whatever its headers say', async (t) => {
  const { app, handled } = await guarded(t, newest)
  const headers = { 'mcp-protocol-version': 'nonsense' }

  const text = await app.inject({ ...post({}, { ...headers, 'content-type': 'text/plain' }), payload: JSON.stringify(SEARCH) })
  t.equal(text.statusCode, 415)
  t.match((await app.inject(post([], headers))).json(), { error: { code: -32600, message: 'The body is not a JSON-RPC message' } })
  t.match((await app.inject(post([[SEARCH]], {}))).json(), { error: { code: -32600, message: 'The body is not a JSON-RPC message' } })
  t.strictSame(handled, [])
})

t.test('a batch is of revision 2025-03-26 only', async (t) => {
  const { app, handled } = await guarded(t, newest)
  const batch = [call('tools/call', { name: 'search' })]

  t.equal((await app.inject(post(batch, { 'mcp-protocol-version': '2025-06-18' }))).statusCode, 400)
  t.strictSame(handled, [])
  t.equal((await app.inject(post(batch, { 'mcp-protocol-version': '2025-03-26' }))).body, 'handled')
})

t.test('routes beside the MCP endpoint have headers of their own', async (t) => {
  const { app } = await guarded(t, newest)
  const response = await app.inject({ ...post(SEARCH, { 'mcp-protocol-version': 'nonsense' }), url: '/notes' })
  t.equal(response.body, 'handled')
})

t.test('a host may speak fewer revisions, and none that nobody knows', async (t) => {
  const { app } = await guarded(t, newest, { protocolVersions: ['2025-11-25'] })
  t.match((await app.inject(post(SEARCH, modernHeaders(SEARCH)))).json(), { error: { code: -32022, data: { supported: ['2025-11-25'] } } })
  t.equal((await app.inject(post(call('ping'), { 'mcp-protocol-version': '2025-11-25' }))).body, 'handled')

  for (const protocolVersions of [[], ['2027-01-01'], '2025-11-25']) {
    const other = newest(t)
    const wrong = guardOptions({ protocolVersions } as unknown as Partial<ScopeGuardOptions>)
    await t.rejects((async () => { await other.register(scopeGuard, wrong) })(),
      { code: 'MCPS_ERR_INVALID_OPTION', message: /^protocolVersions/ })
  }
})
