// One server a process: `node bench/guard/servers.js MODE` answers on standard output where it listens and with which
// token, as one line of JSON; for each line on standard input one with its processor time so far; and ends with that.
import { createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto'
import process from 'node:process'
import { createInterface } from 'node:readline'

const ISSUER = 'https://mcp.example.com'
const RESOURCE = `${ISSUER}/mcp`
const HOUR = 3600

const answer = (id) => ({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: 'found nothing' }] } })
const now = () => Math.floor(Date.now() / 1000)

/** The route that everything is measured against. */
function route (app) {
  app.post('/mcp', async (request) => answer(request.body?.id))
}

async function listen (app) {
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app.server.address().port
}

async function bare () {
  const { default: Fastify } = await import('fastify')
  const app = Fastify()
  route(app)
  return { port: await listen(app), token: 'none' }
}

/** A grant as the token endpoint leaves it, and its access token. */
async function issueToken ({ grants, keyring }) {
  const { issueAccessToken } = await import('../../dist/lib/tokens/access-token.js')
  const asked = await grants.request({
    clientId: randomUUID(),
    subject: 'user-1',
    redirectUri: 'http://127.0.0.1/callback',
    resource: RESOURCE,
    scopes: ['notes:read'],
    state: null,
    codeChallenge: 'x'.repeat(43),
    authenticatedAt: now(),
    acr: null,
    amr: []
  }, now())
  const held = await grants.read(asked.grant.grantId, now())
  const grant = { ...held.grant, status: 'active', exchangedAt: now() }
  await grants.advance(held, grant, now())
  const input = { keyring, issuer: ISSUER, grant, scopes: grant.scopes, expiresAt: now() + HOUR, now: now() }
  return issueAccessToken(input).token
}

async function guarded () {
  const { default: Fastify } = await import('fastify')
  const { pkceStore } = await import('../../dist/lib/plugins/pkce-store.js')
  const { scopeGuard } = await import('../../dist/lib/plugins/scope-guard.js')
  const app = Fastify()
  await app.register(pkceStore)
  await app.register(scopeGuard, {
    issuer: ISSUER,
    resource: RESOURCE,
    scopes: { 'notes:read': 'Read your notes', 'notes:write': { title: 'Change your notes', implies: ['notes:read'] } },
    components: [{ tool: 'search_notes', scopes: ['notes:read'] }]
  })
  route(app)
  const port = await listen(app)
  return { port, token: await issueToken(app.pkceStore) }
}

/** The SDK's middleware answers 401 for this error only. */
async function refuse () {
  const { InvalidTokenError } = await import('@modelcontextprotocol/sdk/server/auth/errors.js')
  throw new InvalidTokenError('The token is not valid')
}

async function express (verifyAccessToken, token) {
  const { default: createApp } = await import('express')
  const { requireBearerAuth } = await import('@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js')
  const app = createApp()
  const guard = requireBearerAuth({ verifier: { verifyAccessToken }, requiredScopes: ['notes:read'] })
  app.post('/mcp', guard, createApp.json(), (request, response) => { response.json(answer(request.body?.id)) })
  const server = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => { server.once('listening', resolve) })
  return { port: server.address().port, token }
}

async function expressMemory () {
  const token = randomUUID()
  const known = new Map([[token, { token, clientId: 'client-1', scopes: ['notes:read'], expiresAt: now() + HOUR }]])
  return await express(async (shown) => known.get(shown) ?? await refuse(), token)
}

async function expressJose () {
  const { SignJWT, jwtVerify } = await import('jose')
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const publicKey = createPublicKey(privateKey)
  const token = await new SignJWT({ client_id: 'client-1', scope: 'notes:read' })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' }).setIssuer(ISSUER).setAudience(RESOURCE)
    .setSubject('user-1').setIssuedAt().setExpirationTime('1h').sign(privateKey)
  const rules = { issuer: ISSUER, audience: RESOURCE, typ: 'at+jwt', algorithms: ['ES256'] }
  return await express(async (shown) => {
    const { payload } = await jwtVerify(shown, publicKey, rules).catch(refuse)
    return { token: shown, clientId: payload.client_id, scopes: payload.scope.split(' '), expiresAt: payload.exp }
  }, token)
}

const MODES = { bare, guarded, 'express-memory': expressMemory, 'express-jose': expressJose }

const say = (message) => { process.stdout.write(`${JSON.stringify(message)}\n`) }

say(await MODES[process.argv[2]]())
const lines = createInterface(process.stdin)
lines.on('line', () => { say(process.cpuUsage()) })
lines.once('close', () => { process.exit(0) })
