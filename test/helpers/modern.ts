/** A JSON-RPC request of revision 2026-07-28, whose `_meta` says so. */
export const modernCall = (method: string, params: object = {}, more: { version?: string, id?: number } = {}) => ({
  jsonrpc: '2.0',
  id: more.id ?? 1,
  method,
  params: {
    ...params,
    _meta: {
      'io.modelcontextprotocol/protocolVersion': more.version ?? '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1.0.0' },
      'io.modelcontextprotocol/clientCapabilities': {}
    }
  }
})

/** The headers that a conforming client sends with a message. */
export function modernHeaders (
  message: { readonly method: string, readonly params?: unknown }
): Record<string, string> {
  const params = message.params as Record<string, unknown> & { readonly _meta?: Record<string, unknown> } | undefined
  const version = params?._meta?.['io.modelcontextprotocol/protocolVersion'] ?? '2026-07-28'
  const name = params?.['name'] ?? params?.['uri'] ?? params?.['taskId']
  return {
    'mcp-protocol-version': String(version),
    'mcp-method': message.method,
    ...(name === undefined ? {} : { 'mcp-name': String(name) })
  }
}
