import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import Fastify, { LogController, type FastifyInstance, type FastifyRequest } from 'fastify'
import { mcpSecurity, type McpSecurityOptions } from 'fastify-mcp-security'
import type { Data } from './data.js'
import { buildMcpServer } from './mcp-server.js'
import { openNotes } from './notes.js'
import type { Settings } from './settings.js'

type Defaults = Pick<McpSecurityOptions, 'resourceName' | 'scopes' | 'defaultScopes' | 'components'>

/** What the notes need; a configuration file may say otherwise. */
const defaults: Defaults = {
  resourceName: 'Notes',
  scopes: {
    'notes:read': { title: 'Read your notes', description: 'See and search everything you have written.' },
    'notes:write': {
      title: 'Change your notes',
      description: 'Write new notes and delete the ones you have.',
      implies: ['notes:read']
    }
  },
  defaultScopes: ['notes:read'],
  components: [
    { tool: 'whoami', title: 'See who you are', scopes: ['notes:read'] },
    { tool: 'list_notes', title: 'List notes', scopes: ['notes:read'] },
    { tool: 'search_notes', title: 'Search notes', scopes: ['notes:read'] },
    { tool: 'add_note', title: 'Write a note', scopes: ['notes:write'] },
    { tool: 'delete_note', title: 'Delete a note', scopes: ['notes:write'], destructive: true }
  ]
}

/** Never the query of a URL (it holds codes and states), never a header. */
const serializers = {
  req: (request: FastifyRequest) => ({ method: request.method, route: request.routeOptions.url, id: request.id })
}

export interface ReferenceServer {
  readonly app: FastifyInstance
  /** Answers the link that makes the first account, `null` when there is one. */
  offerSetUp (): Promise<string | null>
}

/** Builds the server: the MCP endpoint and its security in one scope, the health route beside it. */
export async function buildServer (
  settings: Settings, data: Data, secrets: readonly string[]
): Promise<ReferenceServer> {
  const app = Fastify({
    logger: { level: settings.logLevel, serializers, stream: process.stderr },
    // The audit hook reports each request.
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: settings.trustProxy,
    // Nobody holds a connection with a body that never ends.
    requestTimeout: 30_000,
    // Requests on open connections are answered while the server stops, not refused in words that no client knows.
    return503OnClosing: false,
    forceCloseConnections: 'idle'
  })
  // Not Fastify's own answer, which repeats the URL: a code may have got lost in it.
  app.setNotFoundHandler((_request, reply) => { reply.code(404).send({ error: 'not_found' }) })
  const notes = openNotes(data.notes)
  const { resource = `${settings.issuer}/mcp` } = settings.configuration
  const { mcpPath = new URL(resource).pathname } = settings.configuration

  app.get('/healthz', async () => ({ status: 'ok' }))

  let offerSetUp = async (): Promise<string | null> => null
  await app.register(async (mcp) => {
    await mcp.register(mcpSecurity, {
      ...defaults,
      ...settings.configuration,
      resource,
      secrets: [...secrets],
      issuer: settings.issuer,
      store: data.store
    })
    offerSetUp = mcp.mcpSetUpLink

    mcp.post(mcpPath, async (request, reply) => {
      const { mcpAuth } = request
      if (mcpAuth === null) throw new Error('the guard did not run')
      const server = buildMcpServer(notes, mcpAuth)
      const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
      reply.hijack()
      reply.raw.on('close', () => { server.close().catch((error) => { request.log.error(error) }) })
      await server.connect(transport as Parameters<typeof server.connect>[0])
      await transport.handleRequest(request.raw, reply.raw, request.body)
      return reply
    })
  })
  return { app, offerSetUp: async () => await offerSetUp() }
}
