// An MCP server for the official conformance suite, guarded: revision 2026-07-28 and the older ones, with sessions, on
// one endpoint. Its one token is in the environment.
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto'
import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler } from '@modelcontextprotocol/server'
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import { originGuard } from 'fastify-mcp-security/origin-guard'
import { InvalidTokenError, scopeGuard, type Principal, type TokenVerifier } from 'fastify-mcp-security/scope-guard'
import { securityHeaders } from 'fastify-mcp-security/security-headers'
import { buildConformanceServer, type Changes } from './support/conformance-tools.js'

const MODERN = '2026-07-28'
const MAX_SESSIONS = 1000

const port = Number(process.env['PORT'] ?? 3000)
const token = process.env['TOKEN'] ?? randomUUID()
// Where clients find it: behind a proxy, the proxy's.
const issuer = process.env['ORIGIN'] ?? `http://127.0.0.1:${port}`
const resource = `${issuer}/mcp`

const principal: Principal = Object.freeze({
  subject: 'conformance',
  clientId: 'conformance-suite',
  tenant: 'default',
  issuer,
  resource,
  scopes: ['tools'],
  tags: [],
  roles: [],
  grantId: null,
  credential: 'access-token',
  confirmation: null,
  authenticatedAt: null,
  acr: null,
  amr: [],
  expiresAt: null,
  claims: {}
})

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
const expected = digest(token)

const verifier: TokenVerifier = {
  recall: () => undefined,
  async verify (presented) {
    if (!timingSafeEqual(digest(presented), expected)) throw new InvalidTokenError('unknown token')
    return principal
  }
}

const tool = (name: string) => ({ tool: name, scopes: ['tools'] })
const components = [
  ...['simple_text', 'missing_capability', 'streaming_elicitation', 'logging_tool', 'trigger_tool_change',
    'trigger_prompt_change', 'input_required_result_tampered_state'].map((name) => tool(`test_${name}`)),
  { ...tool('test_custom_header'), headers: { Region: 'region' } },
  { prompt: 'test_simple_prompt', scopes: ['tools'] }
]

const changes: Changes = {
  toolsChanged () { modern.notify.toolsChanged() },
  promptsChanged () { modern.notify.promptsChanged() }
}
const modern = createMcpHandler(() => buildConformanceServer(changes), { legacy: 'reject' })
const serveModern = toNodeHandler(modern)

const sessions = new Map<string, NodeStreamableHTTPServerTransport>()

/** The transport of the session that a request names; a new one when it names none. */
async function transportOf (id: string | undefined): Promise<NodeStreamableHTTPServerTransport | undefined> {
  if (id !== undefined) return sessions.get(id)
  if (sessions.size >= MAX_SESSIONS) throw new Error('too many sessions')
  const transport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => { sessions.set(id, transport) },
    onsessionclosed: (id) => { sessions.delete(id) }
  })
  await buildConformanceServer(changes).connect(transport)
  return transport
}

async function serveLegacy (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const id = request.headers['mcp-session-id']
  const transport = await transportOf(typeof id === 'string' ? id : undefined)
  if (transport === undefined) {
    return await reply.code(404).send({ jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } })
  }
  reply.hijack()
  await transport.handleRequest(request.raw, reply.raw, request.body)
  return reply
}

const app = Fastify({ forceCloseConnections: true })

await app.register(async (mcp) => {
  await mcp.register(securityHeaders, { hstsMaxAge: 0 })
  await mcp.register(originGuard, { issuer, resource })
  await mcp.register(scopeGuard, { resource, scopes: { tools: 'Call the tools' }, components, verifier })

  mcp.route({
    method: ['GET', 'POST', 'DELETE'],
    url: '/mcp',
    handler: async (request, reply) => {
      // The guard has held it against the body.
      if (request.headers['mcp-protocol-version'] !== MODERN) return await serveLegacy(request, reply)
      reply.hijack()
      await serveModern(request.raw as Parameters<typeof serveModern>[0], reply.raw, request.body)
      return reply
    }
  })
})

await app.listen({ port, host: '127.0.0.1' })
process.stdout.write(`listening on ${resource}\n`)
