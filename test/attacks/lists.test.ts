import { gzipSync } from 'node:zlib'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import fc from 'fast-check'
import type { FastifyInstance, InjectOptions, RouteHandlerMethod } from 'fastify'
import t from 'tap'
import { scopeGuard } from '../../lib/plugins/scope-guard.js'
import type { ComponentRule } from '../../types/access.js'
import type { ScopeGuardOptions } from '../../types/options.js'
import { answeringWith, eventsOf, hijacked, WRITERS } from '../helpers/answering.js'
import { buildApp, type Teardown } from '../helpers/build-app.js'
import { bearer, call, callTool, guardOptions, principalWith, verifierOf } from '../helpers/guard.js'

const SECRET = 'hidden'
const JSON_TYPE = { 'content-type': 'application/json' }
const STREAM_TYPE = { 'content-type': 'text/event-stream' }

const ask = (payload: unknown, headers: Readonly<Record<string, string>> = {}): InjectOptions => ({
  method: 'POST',
  url: '/mcp',
  headers: { ...bearer('reader'), ...JSON_TYPE, 'accept-encoding': 'gzip', ...headers },
  payload: JSON.stringify(payload)
})

type Options = Partial<ScopeGuardOptions>

async function host (t: Teardown, handler: RouteHandlerMethod, more?: Options): Promise<FastifyInstance> {
  const app = buildApp(t)
  await app.register(scopeGuard, guardOptions(more))
  app.route({ method: ['GET', 'POST'], url: '/mcp', handler })
  return app
}

type Headers = Readonly<Record<string, string>>

const raw = (body: string | Buffer, headers: Headers = JSON_TYPE, status = 200): RouteHandlerMethod =>
  (_request, reply) => { hijacked(reply).writeHead(status, headers).end(body) }

const byteByByte = (body: string, headers: Headers): RouteHandlerMethod => (_request, reply) => {
  const response = hijacked(reply).writeHead(200, headers)
  for (const byte of Buffer.from(body)) response.write(Uint8Array.of(byte))
  response.end()
}

const message = (result: string) => `{"jsonrpc":"2.0","id":1,"result":${result}}`
const event = (data: string) => `data: ${data}\n\n`
const LIST = message(`{"tools":[{"name":"search"},{"name":"${SECRET}"}]}`)

/** A host that means no harm, but is odd. Whatever it does, no client may learn of a tool that it may not call. */
const ODD: Readonly<Record<string, RouteHandlerMethod>> = {
  'a list under __proto__': raw(message(`{"tools":[],"__proto__":{"tools":[{"name":"${SECRET}"}]}}`)),
  'an item that inherits its name': raw(message(`{"tools":[{"__proto__":{"name":"search"},"title":"${SECRET}"}]}`)),
  'a name that is a list': raw(message(`{"tools":[{"name":["search"],"title":"${SECRET}"}]}`)),
  'a name twice, the secret first': raw(message(`{"tools":[{"name":"${SECRET}","name":"search"}]}`)),
  'a name twice, the secret last': raw(message(`{"tools":[{"name":"search","name":"${SECRET}"}]}`)),
  'two lists of the same name': raw(message(`{"tools":[{"name":"${SECRET}"}],"tools":[]}`)),
  'two results': raw(`{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"${SECRET}"}]},"result":{"tools":[]}}`),
  'a result in a result': raw(message(`{"result":{"tools":[{"name":"${SECRET}"}]}}`)),
  'a list for an object': raw(message(`{"tools":{"0":{"name":"${SECRET}"}}}`)),
  'a list for a text': raw(message(`{"tools":"${SECRET}"}`)),
  'a list in escapes': raw(message(`{"t\\u006fols":[{"n\\u0061me":"${SECRET}"}]}`)),
  'a method beside its result': raw(`{"jsonrpc":"2.0","id":1,"method":"x","result":{"tools":[{"name":"${SECRET}"}]}}`),
  'no envelope': raw(`{"tools":[{"name":"${SECRET}"}]}`),
  'a batch in a batch': raw(`[[${LIST}]]`),
  'a batch for one': raw(`[${LIST}]`),
  'another id': raw(LIST.replace('"id":1', '"id":"1"')),
  'an error with a list': raw(`{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"","data":{"tools":[{"name":"${SECRET}"}]}}}`, JSON_TYPE, 500),
  'other capitals, signs and spaces': raw(message(`{"tools":[{"name":"Search","title":"${SECRET}"},{"name":"se\u0430rch","title":"${SECRET}"},{"name":"search\u200b","title":"${SECRET}"}]}`)),
  gzip: raw(gzipSync(LIST), { ...JSON_TYPE, 'content-encoding': 'gzip' }),
  'gzip that is not said': raw(gzipSync(LIST)),
  'an encoding that is a lie': raw(LIST, { ...JSON_TYPE, 'content-encoding': 'gzip' }),
  'a type that is a lie': raw(LIST, { 'content-type': 'image/png' }),
  'no type': raw(LIST, {}),
  'UTF-16': raw(Buffer.from(LIST, 'utf16le'), { 'content-type': 'application/json; charset=utf-16' }),
  'half a list': raw(LIST.slice(0, -2)),
  'two lists one behind the other': raw(`${LIST}\n${LIST}`),
  'a length that is too small': raw(LIST, { ...JSON_TYPE, 'content-length': '3' }),
  'a length that is too large': raw(LIST, { ...JSON_TYPE, 'content-length': '9999' }),
  'a byte order mark': raw(`\ufeff${LIST}`),
  'bytes one by one': byteByByte(LIST, JSON_TYPE),
  'events byte by byte': byteByByte(event(LIST), STREAM_TYPE),
  'events with CR': byteByByte(`data: ${LIST}\r\r`, STREAM_TYPE),
  'events with CRLF': byteByByte(`data: ${LIST}\r\n\r\n`, STREAM_TYPE),
  'an event over two lines': raw(`data: ${LIST.slice(0, 12)}\ndata: ${LIST.slice(12)}\n\n`, STREAM_TYPE),
  'an event over two lines within a name': raw(`data: ${LIST.replace(SECRET, 'hid\ndata: den')}\n\n`, STREAM_TYPE),
  'an event of another type': raw(`event: tools\n${event(LIST)}`, STREAM_TYPE),
  'an event that does not end': raw(`data: ${LIST}`, STREAM_TYPE),
  'an event in UTF-16': raw(Buffer.from(event(LIST), 'utf16le'), STREAM_TYPE),
  'an event that is half a list': raw(event(LIST.slice(0, -2)), STREAM_TYPE),
  'an event with two results': raw(event(`{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"${SECRET}"}]},"result":{"tools":[]}}`), STREAM_TYPE),
  'a type in capitals': raw(event(LIST), { 'Content-Type': 'TEXT/Event-Stream ; x=y' }),
  'a stream of events that is called JSON': raw(event(LIST)),
  'a compressed stream': raw(gzipSync(event(LIST)), { ...STREAM_TYPE, 'content-encoding': 'gzip' })
}

for (const [what, handler] of Object.entries(ODD)) {
  t.test(`a list with ${what} shows nothing that the principal may not call (number 24, RS-32)`, async (t) => {
    const app = await host(t, handler)

    const { rawPayload, headers } = await app.inject(ask(call('tools/list')))

    const { 'content-length': length = rawPayload.length } = headers
    t.equal(Number(length), rawPayload.length)
    t.notMatch(rawPayload.toString('utf8'), SECRET)
    t.notMatch(rawPayload.toString('utf16le'), SECRET)
    t.notOk(rawPayload.includes(gzipSync(LIST).subarray(10)))
  })
}

t.test('one client with two requests of one id gets no list on the stream of the other (number 24)', async (t) => {
  const server = new Server({ name: 'test', version: '1.0.0' }, { capabilities: { tools: {} } })
  let listed = (): void => {}
  let asked = (): void => {}
  const listing = new Promise<void>((resolve) => { asked = resolve })
  server.setRequestHandler(ListToolsRequestSchema, async () => {
    asked()
    await new Promise<void>((resolve) => { listed = resolve })
    return { tools: ['search', SECRET].map((name) => ({ name, inputSchema: { type: 'object' as const } })) }
  })
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: () => 'session' })
  await server.connect(transport as Parameters<Server['connect']>[0])
  const app = await host(t, async (request, reply) => {
    await transport.handleRequest(request.raw, hijacked(reply), request.body)
  })
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  const send = async (payload: unknown, headers: Readonly<Record<string, string>> = {}) => await fetch(`${origin}/mcp`, {
    method: 'POST',
    headers: { ...bearer('reader'), ...JSON_TYPE, accept: 'application/json, text/event-stream', ...headers },
    body: JSON.stringify(payload)
  })
  const opened = await send(call('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } }))
  await opened.text()
  const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' }

  const first = await send(call('tools/list', {}, 5), session)
  await listing
  const second = await send(callTool('search', 5), session)
  listed()
  const reader = second.body?.getReader()
  const text = Buffer.from((await reader?.read())?.value ?? []).toString()

  t.notMatch(text, SECRET)
  await Promise.all([reader?.cancel(), first.body?.cancel()])
})

t.test('list = call: what is listed is what a call is not denied, for every policy, principal and way of writing', async (t) => {
  const scope = fc.constantFrom('notes:read', 'notes:write', 'profile', 'admin')
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'toString', '__proto__', 'é', 'e\u0301')
  const rule = fc.record({
    tool: name,
    scopes: fc.uniqueArray(scope, { maxLength: 2 }),
    tags: fc.uniqueArray(fc.constantFrom('x', 'y'), { maxLength: 1 }),
    destructive: fc.boolean()
  }, { noNullPrototype: true })
  const cases = fc.record({
    components: fc.uniqueArray(rule, { selector: ({ tool }) => tool, maxLength: 6 }),
    scopes: fc.uniqueArray(fc.oneof(scope, fc.constantFrom('tag:x', 'tag:y')), { maxLength: 3 }),
    names: fc.array(name, { maxLength: 8 }),
    // Pairs are for a real connection only: inject never answers them.
    writer: fc.constantFrom(...Object.keys(WRITERS).filter((writer) => writer !== 'writeHead with pairs')),
    stream: fc.boolean(),
    chunk: fc.constantFrom(1, 3, 16, Infinity)
  })

  await fc.assert(fc.asyncProperty(cases, async ({ components, scopes, names, writer, stream, chunk }) => {
    const tools = names.map((name) => ({ name, inputSchema: {} }))
    const answer = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { tools, nextCursor: 'next' } })
    const body = stream
      ? { text: `: hello\r\n\r\ndata: ${answer}\r\n\r\n`, type: 'text/event-stream', chunk }
      : { text: answer, type: 'application/json', chunk }
    const write = WRITERS[writer]
    if (write === undefined) throw new Error('no such writer')
    const teardowns: Array<() => unknown> = []
    const app = await host({ teardown: (close) => { teardowns.push(close) } }, answeringWith(write, body), {
      components: components as readonly ComponentRule[],
      verifier: verifierOf({ reader: principalWith(scopes) })
    })
    try {
      const response = await app.inject(ask(call('tools/list')))
      const statuses = await Promise.all(names.map(async (name) => (await app.inject(ask(callTool(name)))).statusCode))
      const called = statuses.map((status) => status !== 403)
      if (response.statusCode === 403) {
        t.notOk(called.includes(true), 'an empty grant reaches nothing')
        return
      }
      const text = stream ? eventsOf(response.body)[0]?.['data'] ?? '' : response.body
      t.strictSame(JSON.parse(text).result, { tools: tools.filter((_, position) => called[position]), nextCursor: 'next' })
    } finally {
      for (const close of teardowns) await close()
    }
  }), { numRuns: 200 })
})
