import { toNodeHandler } from '@modelcontextprotocol/node'
import { completable, createMcpHandler, McpServer, type CallToolResult, type McpHttpHandler } from '@modelcontextprotocol/server'
import Fastify from 'fastify'
import { z } from 'zod'
import { mcpSecurity } from '../../lib/index.js'
import type { AuditEvent } from '../../types/audit.js'
import type { Teardown } from './build-app.js'
import { freePort } from './free-port.js'

const text = (value: unknown): CallToolResult => ({ content: [{ type: 'text', text: JSON.stringify(value) }] })

/** A name that no header can carry as it is. */
export const ODD = 'Größe 測定'

function buildServer (): McpServer {
  const server = new McpServer({ name: 'modern', version: '1.0.0' })
  const arguments_ = z.object({
    region: z.string().optional().meta({ 'x-mcp-header': 'Region' }),
    count: z.int().optional().meta({ 'x-mcp-header': 'Count' }),
    dry: z.boolean().optional().meta({ 'x-mcp-header': 'Dry' })
  })
  server.registerTool('whoami', {}, () => text('you'))
  server.registerTool('deploy', { inputSchema: arguments_ }, (input) => text(input))
  server.registerTool('add_note', {}, () => text('added'))
  server.registerPrompt('summary', { argsSchema: z.object({ of: completable(z.string(), () => ['notes']) }) }, () =>
    ({ messages: [{ role: 'user', content: { type: 'text', text: 'Sum up' } }] }))
  server.registerPrompt(ODD, {}, () => ({ messages: [{ role: 'user', content: { type: 'text', text: 'Measure' } }] }))
  server.registerResource('all', 'notes://all/gr%C3%B6%C3%9Fe', {}, (uri) => ({ contents: [{ uri: uri.href, text: 'all' }] }))
  return server
}

export interface ModernServer {
  readonly url: URL
  readonly events: readonly AuditEvent[]
  readonly handler: McpHttpHandler
}

/** The umbrella around the SDK's own server of revision 2026-07-28, on a free port. Whoever comes is `ada`. */
export async function startModernServer (t: Teardown): Promise<ModernServer> {
  const port = await freePort()
  const issuer = `http://127.0.0.1:${port}`
  const events: AuditEvent[] = []
  const handler = createMcpHandler(buildServer, { legacy: 'reject' })
  const serve = toNodeHandler(handler)
  const app = Fastify({ forceCloseConnections: true })
  t.teardown(async () => { await app.close() })
  await app.register(async (mcp) => {
    await mcp.register(mcpSecurity, {
      issuer,
      resource: `${issuer}/mcp`,
      scopes: { 'notes:read': 'Read your notes', 'notes:write': { title: 'Change your notes', implies: ['notes:read'] } },
      defaultScopes: ['notes:read'],
      components: [
        { tool: 'whoami', scopes: ['notes:read'] },
        { tool: 'deploy', scopes: ['notes:read'], headers: { Region: 'region', Count: 'count', Dry: 'dry' } },
        { tool: 'add_note', scopes: ['notes:write'] },
        ...['summary', ODD].map((prompt) => ({ prompt, scopes: ['notes:read'] })),
        { resource: 'notes://all/gr%C3%B6%C3%9Fe', scopes: ['notes:read'] }
      ],
      audit: { log: false, sink: (event) => { events.push(event) } },
      signIn: async () => ({ subject: 'ada' })
    })
    mcp.post('/mcp', async (request, reply) => {
      reply.hijack()
      await serve(request.raw as Parameters<typeof serve>[0], reply.raw, request.body)
      return reply
    })
  })
  await app.listen({ port, host: '127.0.0.1' })
  return { url: new URL('/mcp', issuer), events, handler }
}
