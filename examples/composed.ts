// The parts by hand, in the order that the umbrella uses. Leave out what your proxy or your app does already.
import Fastify from 'fastify'
import { auditHook } from 'fastify-mcp-security/audit-hook'
import { cors } from 'fastify-mcp-security/cors'
import { oauthRoutes } from 'fastify-mcp-security/oauth-routes'
import { originGuard } from 'fastify-mcp-security/origin-guard'
import { pkceStore } from 'fastify-mcp-security/pkce-store'
import { rateLimits } from 'fastify-mcp-security/rate-limits'
import { scopeGuard } from 'fastify-mcp-security/scope-guard'
import { securityHeaders } from 'fastify-mcp-security/security-headers'
import { signIn } from 'fastify-mcp-security/sign-in'
import { memoryStore } from 'fastify-mcp-security/stores/memory'

const port = Number(process.env['PORT'] ?? 3000)
const issuer = `http://127.0.0.1:${port}`
const server = { issuer, resource: `${issuer}/mcp` }
const access = {
  ...server,
  scopes: { 'time:read': 'Read the time' },
  components: [{ tool: 'now', scopes: ['time:read'] }]
}

const app = Fastify()

await app.register(async (mcp) => {
  await mcp.register(auditHook, { log: false, sink: (event) => { process.stderr.write(`${JSON.stringify(event)}\n`) } })
  await mcp.register(securityHeaders, { hstsMaxAge: 0 })
  await mcp.register(originGuard, { ...server, origins: ['http://localhost:6274'] })
  await mcp.register(cors)
  await mcp.register(rateLimits, { registration: { max: 5, window: 3600 } })
  await mcp.register(pkceStore, {
    store: memoryStore({ maxRecords: 100_000 }),
    secrets: [process.env['SECRET'] ?? 'only for this example, not for production']
  })
  await mcp.register(signIn, { issuer })
  await mcp.register(scopeGuard, access)
  await mcp.register(oauthRoutes, access)
  mcp.addHook('onReady', async () => { console.log(`make an account: ${await mcp.mcpSetUpLink() ?? ''}`) })

  mcp.post('/mcp', async (request) => ({ jsonrpc: '2.0', id: null, result: { subject: request.mcpAuth?.subject } }))
  mcp.get('/report', { config: { mcpSecurity: { scopes: ['time:read'] } } }, async () => ({ time: 'now' }))
  mcp.get('/about', { config: { mcpSecurity: { public: true } } }, async () => ({ about: 'a public route' }))
})

await app.listen({ port })
