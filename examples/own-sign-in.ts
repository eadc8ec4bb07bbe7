// A host with users of its own: it says who is signed in, or sends the browser to its own sign-in page.
import cookie from '@fastify/cookie'
import Fastify from 'fastify'
import { mcpSecurity, type SignIn } from 'fastify-mcp-security'

const app = Fastify()
await app.register(cookie, { secret: process.env['COOKIE_SECRET'] ?? 'only for this example, not for production' })

const signIn: SignIn = async (request, reply, { interactive }) => {
  const { valid, value } = request.unsignCookie(request.cookies['user'] ?? '')
  if (valid && value !== null) return { subject: value, name: value }
  // The URL holds the whole authorization request: send the browser back to it after the sign-in.
  if (interactive) await reply.redirect(`/login?return_to=${encodeURIComponent(request.url)}`, 303)
  return null
}

app.get<{ Querystring: { return_to?: string } }>('/login', async (request, reply) => {
  // Your sign-in page goes here. Go back only to paths of your own.
  const { return_to: path = '' } = request.query
  return reply
    .setCookie('user', 'user-1', { signed: true, httpOnly: true, secure: true, sameSite: 'lax', path: '/' })
    .redirect(path.startsWith('/authorize?') ? path : '/', 303)
})

await app.register(async (mcp) => {
  await mcp.register(mcpSecurity, {
    issuer: 'http://127.0.0.1:3000',
    resource: 'http://127.0.0.1:3000/mcp',
    scopes: { 'orders:read': 'See your orders' },
    components: [{ tool: 'list_orders', scopes: ['orders:read'] }],
    signIn
  })
  mcp.post('/mcp', async (request) => ({ jsonrpc: '2.0', id: null, result: { subject: request.mcpAuth?.subject } }))
})

await app.listen({ port: Number(process.env['PORT'] ?? 3000) })
