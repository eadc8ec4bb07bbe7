import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import type { Principal } from 'fastify-mcp-security'
import { z } from 'zod'
import type { Note, Notes } from './notes.js'

const text = (value: string): CallToolResult => ({ content: [{ type: 'text', text: value }] })
const listing = (notes: readonly Note[]): CallToolResult => text(JSON.stringify(notes))

/**
 * The MCP server of one request, for one user. It knows nothing of tokens and scopes: whatever reaches it was
 * allowed by the guard.
 */
export function buildMcpServer (notes: Notes, principal: Principal): McpServer {
  const server = new McpServer({ name: 'reference-server', version: '0.1.0' })
  const owner = principal.subject ?? ''

  server.registerTool('whoami', {
    description: 'Tells who is signed in, through which client, and with which scopes'
  }, () => text(JSON.stringify({
    subject: principal.subject, clientId: principal.clientId, scopes: principal.scopes
  })))

  server.registerTool('list_notes', {
    description: 'Lists your notes', annotations: { readOnlyHint: true }
  }, () => listing(notes.list(owner)))

  server.registerTool('search_notes', {
    description: 'Finds your notes that contain some words',
    inputSchema: { query: z.string().max(1000) },
    annotations: { readOnlyHint: true }
  }, ({ query }) => listing(notes.search(owner, query)))

  server.registerTool('add_note', {
    description: 'Writes a note',
    inputSchema: { text: z.string().min(1).max(10_000) }
  }, (input) => text(JSON.stringify(notes.add(owner, input.text))))

  server.registerTool('delete_note', {
    description: 'Deletes a note for good',
    inputSchema: { id: z.string().max(100) },
    annotations: { destructiveHint: true }
  }, ({ id }) => notes.remove(owner, id)
    ? text('deleted')
    : { ...text('there is no such note'), isError: true })

  return server
}
