// Tokens of somebody else's authorization server, here as Keycloak writes them: this server signs nobody in.
import Fastify from 'fastify'
import { auditHook } from 'fastify-mcp-security/audit-hook'
import { cors } from 'fastify-mcp-security/cors'
import { jwksVerifier } from 'fastify-mcp-security/jwks-verifier'
import { originGuard } from 'fastify-mcp-security/origin-guard'
import { rateLimits } from 'fastify-mcp-security/rate-limits'
import { resourceMetadata } from 'fastify-mcp-security/resource-metadata'
import { scopeGuard } from 'fastify-mcp-security/scope-guard'
import { securityHeaders } from 'fastify-mcp-security/security-headers'

const port = Number(process.env['PORT'] ?? 3000)
const origin = `http://127.0.0.1:${port}`
const resource = `${origin}/mcp`
const issuer = process.env['ISSUER'] ?? 'http://127.0.0.1:8080/realms/staff'

const verifier = jwksVerifier({
  issuer,
  resource,
  jwksUri: process.env['JWKS_URI'] ?? `${issuer}/protocol/openid-connect/certs`,
  types: ['JWT'],
  claims: { clientId: 'azp', roles: ['realm_access', 'roles'] }
})

const app = Fastify()

await app.register(async (mcp) => {
  await mcp.register(auditHook, { log: false, sink: (event) => { process.stderr.write(`${JSON.stringify(event)}\n`) } })
  await mcp.register(securityHeaders, { hstsMaxAge: 0 })
  // The pages that may call are this server's own, not those of the authorization server.
  await mcp.register(originGuard, { issuer: origin, resource })
  await mcp.register(cors)
  await mcp.register(rateLimits)
  await mcp.register(scopeGuard, {
    resource,
    scopes: { 'time:read': 'Read the time' },
    components: [{ tool: 'now', scopes: ['time:read'] }],
    verifier
  })
  await mcp.register(resourceMetadata, { resource, authorizationServers: [issuer], scopes: ['time:read'] })

  mcp.post('/mcp', async (request) => ({ jsonrpc: '2.0', id: null, result: { subject: request.mcpAuth?.subject } }))
})

await app.listen({ port })
