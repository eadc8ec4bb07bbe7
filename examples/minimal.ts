import Fastify from 'fastify'
import { mcpSecurity } from 'fastify-mcp-security'

const app = Fastify()

await app.register(async (mcp) => {
  await mcp.register(mcpSecurity, {
    issuer: 'http://127.0.0.1:3000',
    resource: 'http://127.0.0.1:3000/mcp',
    scopes: { 'time:read': 'Read the time' },
    components: [{ tool: 'now', scopes: ['time:read'] }]
  })

  mcp.addHook('onReady', async () => { console.log(`make an account: ${await mcp.mcpSetUpLink() ?? ''}`) })

  mcp.post('/mcp', async (request) => {
    // Your MCP server goes here. Whatever reaches it was allowed; request.mcpAuth says who asks.
    return { jsonrpc: '2.0', id: null, result: { subject: request.mcpAuth?.subject } }
  })
})

await app.listen({ port: 3000 })
