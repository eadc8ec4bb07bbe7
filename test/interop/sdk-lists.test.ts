import { randomUUID } from 'node:crypto'
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client'
import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { Server as ServerV1 } from '@modelcontextprotocol/sdk/server/index.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { createMcpHandler, Server as ServerV2 } from '@modelcontextprotocol/server'
import type { FastifyReply, FastifyRequest } from 'fastify'
import t from 'tap'
import { scopeGuard } from '../../lib/plugins/scope-guard.js'
import { securityHeaders } from '../../lib/plugins/security-headers.js'
import { buildApp, type Teardown } from '../helpers/build-app.js'
import { bearer, guardOptions } from '../helpers/guard.js'

const NAMES = ['hidden', 'search', 'delete', 'whoami', 'other']

/** Two tools a page: the first and the last page of a reader hold one or none of its own. */
function page (cursor: string | undefined) {
  const from = Number(cursor ?? 0)
  const tools = NAMES.slice(from, from + 2).map((name) => ({ name, inputSchema: { type: 'object' as const } }))
  return from + 2 < NAMES.length ? { tools, nextCursor: String(from + 2) } : { tools }
}

const INFO = { name: 'test', version: '1.0.0' }
const CAPABILITIES = { capabilities: { tools: {} } }

function buildV1 (): ServerV1 {
  const server = new ServerV1(INFO, CAPABILITIES)
  server.setRequestHandler(ListToolsRequestSchema, async ({ params }) => page(params?.cursor))
  return server
}

function buildV2 (): ServerV2 {
  const server = new ServerV2(INFO, CAPABILITIES)
  server.setRequestHandler('tools/list', async ({ params }) => page(params?.cursor))
  return server
}

type Serve = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

/** One transport for each session, as the SDKs' examples keep them. */
function withSessions<Transport extends { handleRequest: (...args: never) => Promise<void> }> (
  open: (add: (id: string, transport: Transport) => void) => Promise<Transport>
): Serve {
  const sessions = new Map<string, Transport>()
  return async ({ raw, body, headers }, reply) => {
    const held = sessions.get(String(headers['mcp-session-id']))
    const transport = held ?? await open((id, opened) => { sessions.set(id, opened) })
    await Reflect.apply(transport.handleRequest, transport, [raw, reply.raw, body])
  }
}

const SERVERS: Readonly<Record<string, () => Serve>> = {
  'SDK v1 without sessions, JSON': () => async (request, reply) => {
    const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
    await buildV1().connect(transport as Parameters<ServerV1['connect']>[0])
    await transport.handleRequest(request.raw, reply.raw, request.body)
  },
  'SDK v1 with sessions, event streams': () => withSessions<StreamableHTTPServerTransport>(async (add) => {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID, onsessioninitialized: (id) => { add(id, transport) }
    })
    await buildV1().connect(transport as Parameters<ServerV1['connect']>[0])
    return transport
  }),
  'SDK v2 with sessions, event streams': () => withSessions<NodeStreamableHTTPServerTransport>(async (add) => {
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID, onsessioninitialized: (id) => { add(id, transport) }
    })
    await buildV2().connect(transport)
    return transport
  }),
  'SDK v2, revision 2026-07-28 and older': () => {
    const serve = toNodeHandler(createMcpHandler(() => buildV2()))
    return async (request, reply) => { await Reflect.apply(serve, null, [request.raw, reply.raw, request.body]) }
  }
}

async function host (t: Teardown, serve: Serve): Promise<URL> {
  const app = buildApp(t)
  await app.register(securityHeaders)
  await app.register(scopeGuard, guardOptions())
  app.route({
    method: ['GET', 'POST', 'DELETE'],
    url: '/mcp',
    handler: async (request, reply) => {
      reply.hijack()
      await serve(request, reply)
    }
  })
  return new URL('/mcp', await app.listen({ port: 0, host: '127.0.0.1' }))
}

interface Page {
  readonly tools: ReadonlyArray<{ readonly name: string }>
  readonly nextCursor?: string | undefined
}

interface Lister {
  listTools (params?: { cursor: string }): Promise<Page>
  close (): Promise<void>
}

type Connect = (url: URL, token: string) => Promise<Lister>

const CLIENTS: Readonly<Record<string, Connect>> = {
  'a client of SDK v1': async (url, token) => {
    const client = new ClientV1(INFO)
    const transport = new TransportV1(url, { requestInit: { headers: bearer(token) } })
    await client.connect(transport as Parameters<ClientV1['connect']>[0])
    return client
  },
  'a client of SDK v2': async (url, token) => {
    const client = new ClientV2(INFO)
    await client.connect(new TransportV2(url, { requestInit: { headers: bearer(token) } }))
    return {
      listTools: async (params) => await client.request({ method: 'tools/list', ...params === undefined ? {} : { params } }),
      close: async () => { await client.close() }
    }
  }
}

/** All names, page by page, as far as the cursors lead. */
async function listAll (client: Lister): Promise<{ names: readonly string[], pages: number }> {
  const names: string[] = []
  let cursor: string | undefined
  for (let pages = 1; pages < 10; pages++) {
    const { tools, nextCursor } = await client.listTools(cursor === undefined ? undefined : { cursor })
    names.push(...tools.map(({ name }) => name))
    if (nextCursor === undefined) return { names, pages }
    cursor = nextCursor
  }
  throw new Error('too many pages')
}

for (const [server, serve] of Object.entries(SERVERS)) {
  for (const [name, connect] of Object.entries(CLIENTS)) {
    t.test(`${name} lists what it may call, over all pages, from ${server}`, async (t) => {
      const url = await host(t, serve())
      const reader = await connect(url, 'reader')
      const admin = await connect(url, 'admin')

      t.same(await listAll(reader), { names: ['search', 'whoami'], pages: 3 })
      t.same(await listAll(admin), { names: ['search', 'delete', 'whoami'], pages: 3 })
      await Promise.all([reader.close(), admin.close()])
    })
  }
}
