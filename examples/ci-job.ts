// A CI job calls the MCP server: no browser, no user, no secret. It shows who it is with a key that only it has, gets a
// token of its own, and calls a tool. Server and job stand in one file here; the job knows the server's URL only.
import Fastify from 'fastify'
import { mcpSecurity } from 'fastify-mcp-security'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'

const origin = `http://127.0.0.1:${process.env['PORT'] ?? 3000}`
const { publicKey, privateKey } = await generateKeyPair('ES256')

const app = Fastify()
await app.register(async (mcp) => {
  await mcp.register(mcpSecurity, {
    issuer: origin,
    resource: `${origin}/mcp`,
    scopes: { 'builds:read': 'See builds', 'builds:write': { title: 'Start builds', implies: ['builds:read'] } },
    components: [{ tool: 'start_build', scopes: ['builds:write'] }],
    clients: [{
      clientId: 'nightly',
      grantTypes: ['client_credentials'],
      jwks: { keys: [{ ...await exportJWK(publicKey), kid: 'nightly-1', alg: 'ES256' }] },
      // The most that it can ever get.
      scope: 'builds:write'
    }]
  })
  mcp.post('/mcp', async ({ mcpAuth }) => (
    { jsonrpc: '2.0', id: 1, result: { subject: mcpAuth?.subject, clientId: mcpAuth?.clientId, scopes: mcpAuth?.scopes } }
  ))
})
await app.listen({ port: Number(new URL(origin).port) })

async function job (): Promise<unknown> {
  const found = await fetch(`${origin}/.well-known/oauth-authorization-server`)
  const { issuer, token_endpoint: endpoint } = await found.json() as { issuer: string, token_endpoint: string }
  const assertion = await new SignJWT()
    .setProtectedHeader({ alg: 'ES256', kid: 'nightly-1' })
    .setIssuer('nightly').setSubject('nightly').setAudience(issuer).setJti(crypto.randomUUID())
    .setIssuedAt().setExpirationTime('1m')
    .sign(privateKey)
  const answer = await fetch(endpoint, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      resource: `${origin}/mcp`,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion
    })
  })
  const { access_token: token } = await answer.json() as { access_token: string }
  const called = await fetch(`${origin}/mcp`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'start_build', arguments: {} } })
  })
  return await called.json()
}

console.log(JSON.stringify(await job()))
await app.close()
