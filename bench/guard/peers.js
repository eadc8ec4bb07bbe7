// What other libraries, and the least that one could do, make of the same route.
import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import jwt from '@fastify/jwt'
import rateLimit from '@fastify/rate-limit'
import { createPublicKey, generateKeyPairSync, randomUUID, verify } from 'node:crypto'
import Fastify from 'fastify'
import { SignJWT, jwtVerify } from 'jose'
import { answer, listen, route } from './apps.js'
import { ORIGIN } from './modes.js'

const HOUR = 3600
const ISSUER = 'https://mcp.example.com'
const RESOURCE = `${ISSUER}/mcp`
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const publicKey = createPublicKey(privateKey)
const now = () => Math.floor(Date.now() / 1000)

const signToken = async () => await new SignJWT({ client_id: randomUUID(), scope: 'notes:read', grant_id: randomUUID() })
  .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: randomUUID() }).setIssuer(ISSUER).setAudience(RESOURCE)
  .setSubject('user-1').setIssuedAt().setExpirationTime('1h').setJti(randomUUID()).sign(privateKey)

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
  return { port: server.address().port, tokens: [token] }
}

export async function expressMemory () {
  const token = randomUUID()
  const known = new Map([[token, { token, clientId: 'client-1', scopes: ['notes:read'], expiresAt: now() + HOUR }]])
  return await express(async (shown) => known.get(shown) ?? await refuse(), token)
}

export async function expressJose () {
  const rules = { issuer: ISSUER, audience: RESOURCE, typ: 'at+jwt', algorithms: ['ES256'] }
  return await express(async (shown) => {
    const { payload } = await jwtVerify(shown, publicKey, rules).catch(refuse)
    return { token: shown, clientId: payload.client_id, scopes: payload.scope.split(' '), expiresAt: payload.exp }
  }, await signToken())
}

export async function fastifyJwt () {
  const app = Fastify()
  const pem = { private: privateKey.export({ type: 'pkcs8', format: 'pem' }), public: publicKey.export({ type: 'spki', format: 'pem' }) }
  const verify = { cache: true, allowedIss: ISSUER, allowedAud: RESOURCE, algorithms: ['ES256'] }
  await app.register(jwt, { secret: pem, sign: { algorithm: 'ES256' }, verify })
  app.addHook('onRequest', async (request) => { await request.jwtVerify() })
  route(app)
  return { port: await listen(app), tokens: [await signToken()] }
}

const refuseHere = (reply) => { reply.code(401).send('no') }

/** Nothing but a look at one Map: no expiry, no scope, no audience. */
export async function exactString () {
  const app = Fastify()
  const token = await signToken()
  const known = new Map([[`Bearer ${token}`, { scopes: ['notes:read'] }]])
  app.addHook('onRequest', (request, reply, done) => {
    if (known.has(request.headers.authorization)) done()
    else refuseHere(reply)
  })
  route(app)
  return { port: await listen(app), tokens: [token] }
}

/** What a server can do at best that verifies the token of each request by node:crypto, and looks at nothing else. */
export async function verifyEach ({ count }) {
  const app = Fastify()
  const key = { key: publicKey, dsaEncoding: 'ieee-p1363' }
  app.addHook('onRequest', (request, reply, done) => {
    const token = request.headers.authorization?.slice('Bearer '.length) ?? ''
    const end = token.lastIndexOf('.')
    const signature = Buffer.from(token.slice(end + 1), 'base64url')
    if (verify('sha256', Buffer.from(token.slice(0, end)), key, signature)) done()
    else refuseHere(reply)
  })
  route(app)
  const tokens = []
  for (let made = 0; made < count; made += 1) tokens.push(await signToken())
  return { port: await listen(app), tokens }
}

/** Headers, CORS and limits as most apps register them, with nothing about tokens. */
export async function usualPlugins () {
  const app = Fastify()
  await app.register(helmet)
  await app.register(cors, { origin: ORIGIN })
  await app.register(rateLimit, { max: 1_000_000_000, timeWindow: '1 minute' })
  route(app)
  return { port: await listen(app), tokens: ['none'] }
}
