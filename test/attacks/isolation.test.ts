import { randomUUID } from 'node:crypto'
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport, type EventStore } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { scopeGuard } from '../../lib/plugins/scope-guard.js'
import { buildApp, type Teardown } from '../helpers/build-app.js'
import { bearer, call, guardOptions, principalWith, verifierOf } from '../helpers/guard.js'

const LEGACY = ['2025-03-26', '2025-06-18', '2025-11-25']
const ACCEPT = 'application/json, text/event-stream'

const verifier = verifierOf({
  alice: principalWith(['admin'], { subject: 'alice', expiresAt: null }),
  'alice-elsewhere': principalWith(['admin'], { subject: 'alice', clientId: 'client-2', expiresAt: null }),
  bob: principalWith(['admin'], { subject: 'bob', expiresAt: null })
})
/** Everybody else than Alice through her client. */
const OTHERS = ['bob', 'alice-elsewhere']

interface StoredEvent { readonly stream: string, readonly message: JSONRPCMessage }

/** One store for the events of all sessions; each session's streams are its own (TR-15). */
function sharedEvents () {
  const events: StoredEvent[] = []
  const ofSession = (session: string): EventStore => ({
    async storeEvent (stream, message) {
      events.push({ stream: `${session} ${stream}`, message })
      return String(events.length - 1)
    },
    async replayEventsAfter (last, { send }) {
      const stream = events[Number(last)]?.stream ?? ''
      for (const [at, event] of events.entries()) {
        if (at > Number(last) && event.stream === stream) await send(String(at), event.message)
      }
      return stream.slice(stream.indexOf(' ') + 1)
    }
  })
  return ofSession
}

/** A host as the SDK's examples have it: sessions in a map, looked up by what the client says, and no more checks. */
async function statefulHost (t: Teardown): Promise<FastifyInstance> {
  const app = buildApp(t)
  const sessions = new Map<string, StreamableHTTPServerTransport>()
  const eventsOf = sharedEvents()
  await app.register(scopeGuard, guardOptions({ verifier }))
  app.route({
    method: ['GET', 'POST', 'DELETE'],
    url: '/mcp',
    async handler (request, reply) {
      const known = sessions.get(String(request.headers['mcp-session-id']))
      const transport = known ?? await openSession()
      reply.hijack()
      await transport.handleRequest(request.raw, reply.raw, request.body)
    }
  })
  async function openSession (): Promise<StreamableHTTPServerTransport> {
    const id = randomUUID()
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => id,
      eventStore: eventsOf(id),
      onsessioninitialized: () => { sessions.set(id, transport) },
      onsessionclosed: () => { sessions.delete(id) }
    })
    const server = new McpServer({ name: 'notes', version: '1.0.0' }, { capabilities: { logging: {} } })
    server.registerTool('whoami', {}, async ({ authInfo, sessionId }) => {
      await server.server.sendLoggingMessage({ level: 'info', data: `secret of ${id}` })
      return { content: [{ type: 'text', text: `${JSON.stringify(authInfo?.extra?.principal)} in ${sessionId === id}` }] }
    })
    await server.connect(transport)
    return transport
  }
  await app.listen({ host: '127.0.0.1', port: 0 })
  return app
}

type Headers = Readonly<Record<string, string>>

async function ask (app: FastifyInstance, method: string, headers: Headers, body?: object): Promise<Response> {
  return await fetch(`${app.listeningOrigin}/mcp`, {
    method,
    headers: { accept: ACCEPT, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
}

const initialize = (protocolVersion: string) =>
  call('initialize', { protocolVersion, capabilities: {}, clientInfo: { name: 'a client', version: '1.0.0' } })

async function sessionOf (app: FastifyInstance, token: string, version: string): Promise<Headers> {
  const opened = await ask(app, 'POST', bearer(token), initialize(version))
  await opened.text()
  return { 'mcp-session-id': String(opened.headers.get('mcp-session-id')), 'mcp-protocol-version': version }
}

const whoami = call('tools/call', { name: 'whoami', arguments: {} })
const idsOf = (text: string): readonly string[] => [...text.matchAll(/^id: (.*)$/mg)].map(([, id]) => String(id))

for (const version of LEGACY) {
  t.test(`${version}: no request of another principal reaches a session, its stream or its end`, async (t) => {
    const app = await statefulHost(t)
    const session = await sessionOf(app, 'alice', version)

    for (const other of OTHERS) {
      const own = await sessionOf(app, other, version)
      for (const [method, body] of [['POST', whoami], ['GET', undefined], ['DELETE', undefined]] as const) {
        const refused = await ask(app, method, { ...bearer(other), ...session }, body)
        t.equal(refused.status, 404)
        t.notMatch(await refused.text(), /secret|alice/)
      }
      t.equal((await ask(app, 'POST', { ...bearer(other), ...own }, whoami)).status, 200)
    }
    t.equal((await ask(app, 'POST', session, whoami)).status, 401)
    t.equal((await ask(app, 'GET', session)).status, 401)
    t.match(await (await ask(app, 'POST', { ...bearer('alice'), ...session }, whoami)).text(), /alice.*in true/)
  })

  t.test(`${version}: Last-Event-ID of another principal replays nothing, one's own what came after it`, async (t) => {
    const app = await statefulHost(t)
    const session = await sessionOf(app, 'alice', version)
    const text = await (await ask(app, 'POST', { ...bearer('alice'), ...session }, whoami)).text()
    const [last = ''] = idsOf(text)

    for (const other of OTHERS) {
      const own = await sessionOf(app, other, version)
      for (const headers of [own, session, {}]) {
        const refused = await ask(app, 'GET', { ...bearer(other), ...headers, 'last-event-id': last })
        t.equal(refused.status, 404)
        t.notMatch(await refused.text(), /secret|alice/)
      }
    }
    const resumed = await ask(app, 'GET', { ...bearer('alice'), ...session, 'last-event-id': last })
    t.equal(resumed.status, 200)
    await resumed.body?.cancel()
  })
}

for (const [sdk, open] of Object.entries({
  'SDK v1': async (url: URL, token: string) => {
    const client = new Client({ name: 'a client', version: '1.0.0' })
    const transport = new StreamableHTTPClientTransport(url, { requestInit: { headers: bearer(token) } })
    await client.connect(transport as Parameters<Client['connect']>[0])
    return { client, transport }
  },
  'SDK v2': async (url: URL, token: string) => {
    const client = new ClientV2({ name: 'a client', version: '1.0.0' })
    const transport = new TransportV2(url, { requestInit: { headers: bearer(token) } })
    await client.connect(transport)
    return { client, transport }
  }
})) {
  t.test(`${sdk} works through the guard unchanged: it opens a session, calls, listens and ends it`, async (t) => {
    const app = await statefulHost(t)
    const { client, transport } = await open(new URL(`${app.listeningOrigin}/mcp`), 'alice')
    t.teardown(async () => { await client.close() })

    t.match(transport.sessionId, /^[\w-]{36}\.[\w-]{43}$/)
    const first = transport.sessionId
    t.match(await client.callTool({ name: 'whoami', arguments: {} }), { content: [{ text: /alice.*in true/ }] })
    t.equal(transport.sessionId, first)
    await transport.terminateSession()
    t.equal((await ask(app, 'POST', { ...bearer('alice'), 'mcp-session-id': String(first) }, whoami)).status, 400)
  })
}

t.test('2026-07-28: states, tasks and handles of another principal are unknown, and no handler runs', async (t) => {
  const app = buildApp(t)
  let handled = 0
  await app.register(scopeGuard, guardOptions({ verifier, tasks: true }))
  app.post('/mcp', ({ mcpHandles }) => {
    handled += 1
    const handle = mcpHandles.seal({ purpose: 'cart', value: 'milk', lifetime: 60 })
    return { jsonrpc: '2.0', id: 1, result: { resultType: 'input_required', requestState: 'step 1', taskId: 'task-1', handle } }
  })
  app.get<{ Querystring: { handle: string } }>('/cart', ({ mcpHandles, query: { handle } }) =>
    ({ cart: mcpHandles.open({ purpose: 'cart', handle }) }))
  await app.listen({ host: '127.0.0.1', port: 0 })
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'a client', version: '1.0.0' },
    'io.modelcontextprotocol/clientCapabilities': {}
  }
  const send = async (token: string, method: string, params: Readonly<Record<string, unknown>>): Promise<Response> =>
    await ask(app, 'POST', {
      ...bearer(token),
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      'mcp-name': String(params.name ?? params.taskId)
    }, call(method, { ...params, _meta: meta }))
  const tool = { name: 'whoami', arguments: {} }
  interface Given { readonly result: Readonly<Record<'requestState' | 'taskId' | 'handle', string>> }
  const given = await (await send('alice', 'tools/call', tool)).json() as Given
  const { requestState, taskId, handle } = given.result
  handled = 0

  for (const other of OTHERS) {
    t.equal((await send(other, 'tools/call', { ...tool, requestState })).status, 400)
    t.equal((await send(other, 'tasks/get', { taskId })).status, 400)
    t.equal((await send(other, 'tasks/cancel', { taskId })).status, 400)
    const cart = await fetch(`${app.listeningOrigin}/cart?handle=${handle}`, { headers: bearer(other) })
    t.same(await cart.json(), { cart: null })
  }
  t.equal(handled, 0)
  t.equal((await send('alice', 'tools/call', { ...tool, requestState })).status, 200)
  t.equal((await send('alice', 'tasks/get', { taskId })).status, 200)
  t.equal(handled, 2)
})
