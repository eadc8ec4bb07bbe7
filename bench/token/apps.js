// Each function starts one server, writes the exchanges of its codes, and answers its port and its paths.
import Fastify from 'fastify'
import { randomUUID, sign } from 'node:crypto'
import { parse } from 'node:querystring'
import { library } from '../guard/library.js'
import { CHALLENGE, CLIENT, HOUR, issuerOf, now, privateKey, REDIRECT, SCOPE, SUBJECT, writeExchanges } from './common.js'

export async function freePort () {
  const app = Fastify()
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address()
  await app.close()
  return port
}

async function giveCode ({ grants }, resource) {
  const { grant, handle } = await grants.request({
    clientId: CLIENT,
    subject: SUBJECT,
    redirectUri: REDIRECT,
    resource,
    scopes: [SCOPE],
    state: null,
    codeChallenge: CHALLENGE,
    authenticatedAt: now(),
    acr: null,
    amr: []
  }, now())
  const { code } = await grants.approve({ handle, subject: grant.subject, scopes: grant.scopes }, now())
  return code
}

/** The parts of the package that answer, with limits that are never reached. */
export async function ours ({ count, folder }) {
  const { pkceStore } = await library('plugins/pkce-store.js')
  const { oauthRoutes } = await library('plugins/oauth-routes/index.js')
  const port = await freePort()
  const issuer = issuerOf(port)
  const resource = `${issuer}/mcp`
  const app = Fastify()
  await app.register(pkceStore, {
    clients: [{ clientId: CLIENT, redirectUris: [REDIRECT] }], maxClients: 10_000_000, lifetimes: { code: 600 }
  })
  const components = [{ tool: 'search_notes', scopes: [SCOPE] }]
  await app.register(oauthRoutes, { issuer, resource, scopes: { [SCOPE]: 'Read your notes' }, components, signIn: async () => null })
  await app.listen({ port, host: '127.0.0.1' })
  const codes = []
  for (let made = 0; made < count; made += 1) codes.push(await giveCode(app.pkceStore, resource))
  writeExchanges(folder, codes, resource)
  return { port, token: '/token', register: '/register' }
}

const KEY = { key: privateKey, dsaEncoding: 'ieee-p1363' }
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** The least that a server can do which signs a token and remembers something; and a document of one text. */
export async function floor ({ count, folder }) {
  const { memoryStore } = await library('stores/memory.js')
  const store = memoryStore({ maxRecords: 10_000_000 })
  const port = await freePort()
  const issuer = issuerOf(port)
  const resource = `${issuer}/mcp`
  const app = Fastify()
  const form = 'application/x-www-form-urlencoded'
  app.addContentTypeParser(form, { parseAs: 'string' }, (request, body, done) => { done(null, parse(body)) })
  const header = part({ alg: 'ES256', typ: 'at+jwt', kid: randomUUID() })
  app.post('/token', async (request) => {
    const { client_id: clientId, code } = request.body
    const at = now()
    const claims = {
      iss: issuer,
      sub: SUBJECT,
      aud: resource,
      client_id: clientId,
      scope: SCOPE,
      iat: at,
      exp: at + HOUR,
      jti: randomUUID()
    }
    const text = `${header}.${part(claims)}`
    const signature = sign('sha256', Buffer.from(text), KEY).toString('base64url')
    const body = JSON.stringify({ clientId, subject: SUBJECT, scope: SCOPE, at })
    await store.add({ tenant: 'default', kind: 'grant', id: code, expiresAt: at + HOUR, index: {}, body }, at)
    return {
      access_token: `${text}.${signature}`,
      token_type: 'Bearer',
      expires_in: HOUR,
      scope: SCOPE,
      refresh_token: randomUUID()
    }
  })
  const document = JSON.stringify({ text: 'x'.repeat(900) })
  app.get('/document', (request, reply) => { reply.header('content-type', 'application/json; charset=utf-8').send(document) })
  await app.listen({ port, host: '127.0.0.1' })
  writeExchanges(folder, Array.from({ length: count }, () => `${randomUUID()}.${randomUUID()}`), resource)
  return { port, token: '/token' }
}
