// Several tenants in one app and on one store. Each has an issuer, keys, clients, users and grants of its own: what one
// of them gave out is nothing to another one.
import { randomBytes } from 'node:crypto'
import Fastify from 'fastify'
import { mcpSecurity } from 'fastify-mcp-security'
import { memoryStore } from 'fastify-mcp-security/stores/memory'

const port = Number(process.env['PORT'] ?? 3000)
const origin = `http://127.0.0.1:${port}`
const store = memoryStore()
const secrets = [process.env['SECRET'] ?? randomBytes(32).toString('base64')]
const tenants = { acme: 'Acme', globex: 'Globex' }

const app = Fastify()

for (const [tenant, resourceName] of Object.entries(tenants)) {
  await app.register(async (mcp) => {
    await mcp.register(mcpSecurity, {
      tenant,
      resourceName,
      store,
      secrets,
      issuer: `${origin}/${tenant}`,
      resource: `${origin}/${tenant}/mcp`,
      scopes: { 'time:read': 'Read the time' },
      components: [{ tool: 'now', scopes: ['time:read'] }]
    })
    mcp.addHook('onReady', async () => { console.log(`${resourceName}: ${await mcp.mcpSetUpLink() ?? ''}`) })
    mcp.post(`/${tenant}/mcp`, async ({ mcpAuth }) => (
      { jsonrpc: '2.0', id: null, result: { tenant: mcpAuth?.tenant, subject: mcpAuth?.subject } }
    ))
  })
}

await app.listen({ port })
