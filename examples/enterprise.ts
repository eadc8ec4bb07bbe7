// The identity provider of an enterprise in front: it decides which of its users may use which application here, and
// signs that (ID-JAG). The application brings it to the token endpoint: nobody is asked for consent a second time.
// Provider, server and application stand in one file here.
import Fastify from 'fastify'
import { mcpSecurity } from 'fastify-mcp-security'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'

const port = Number(process.env['PORT'] ?? 3000)
const origin = `http://127.0.0.1:${port}`
const resource = `${origin}/mcp`
const secret = 'only-for-this-example-not-for-production'
const { publicKey, privateKey } = await generateKeyPair('ES256')

const provider = Fastify()
provider.get('/jwks', async () => ({ keys: [{ ...await exportJWK(publicKey), kid: 'idp-1', alg: 'ES256' }] }))
const idp = await provider.listen({ port: 0 })

/** What the provider does once it has signed its user in, and found that the policy lets the application. */
const vouchFor = async (user: string): Promise<string> => await new SignJWT({ client_id: 'desk', resource, scope: 'notes:read' })
  .setProtectedHeader({ alg: 'ES256', kid: 'idp-1', typ: 'oauth-id-jag+jwt' })
  .setIssuer(idp).setSubject(user).setAudience(origin).setJti(crypto.randomUUID())
  .setIssuedAt().setExpirationTime('5m')
  .sign(privateKey)

const app = Fastify()
await app.register(async (mcp) => {
  await mcp.register(mcpSecurity, {
    issuer: origin,
    resource,
    scopes: { 'notes:read': 'Read your notes' },
    components: [{ tool: 'list_notes', scopes: ['notes:read'] }],
    clients: [{
      clientId: 'desk', secret, grantTypes: ['urn:ietf:params:oauth:grant-type:jwt-bearer'], scope: 'notes:read'
    }],
    assertionIssuers: [{ issuer: idp, jwksUri: `${idp}/jwks`, profile: 'id-jag' }]
  })
  mcp.post('/mcp', async ({ mcpAuth }) => ({ jsonrpc: '2.0', id: 1, result: { subject: mcpAuth?.subject } }))
})
await app.listen({ port })

const answer = await fetch(`${origin}/token`, {
  method: 'POST',
  headers: { authorization: `Basic ${Buffer.from(`desk:${secret}`).toString('base64')}` },
  body: new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: await vouchFor('alice')
  })
})
const { access_token: token } = await answer.json() as { access_token: string }
const called = await fetch(resource, {
  method: 'POST',
  headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json' },
  body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'list_notes', arguments: {} } })
})
const { result } = await called.json() as { result: { subject: string } }
console.log(JSON.stringify({ ...result, subject: result.subject.replace(idp, 'IDP') }))
await app.close()
await provider.close()
