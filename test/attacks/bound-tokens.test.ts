import { once } from 'node:events'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { oauthRoutes } from '../../lib/plugins/oauth-routes/index.js'
import { pkceStore } from '../../lib/plugins/pkce-store.js'
import { scopeGuard } from '../../lib/plugins/scope-guard.js'
import { makeCertificate, tlsPost } from '../helpers/certificates.js'
import { dpopClient, type DpopClient } from '../helpers/dpop.js'
import { ISSUER, OPTIONS, RESOURCE } from '../helpers/oauth-app.js'
import { PlainClient, readTokens } from '../helpers/oauth-client.js'
import { startReferenceServer } from '../helpers/reference-server.js'

// Mistakes 13 and 23 at the authorization server, and EX-20 to EX-23: whoever has somebody else's code, token or proof
// and not the key gets nowhere, and nobody is told about a token that is none of its business.

const SECRET = 'a-secret-of-thirty-two-characters-or-more'
const server = await startReferenceServer(t, {
  configuration: {
    dpop: { nonce: true },
    accessTokenFormat: 'opaque',
    clients: [
      { clientId: 'elsewhere', secret: SECRET, introspects: ['https://elsewhere.example/mcp'] }
    ]
  }
})
const now = (): number => Math.floor(Date.now() / 1000)
const keyFor = async (path: string, key?: DpopClient['key']): Promise<DpopClient> =>
  await dpopClient({ htu: server.origin + path, now, ...(key === undefined ? {} : { key }) })

const client = new PlainClient(server.origin)
await client.register()
const [owner, thief] = [await keyFor('/token'), await keyFor('/token')]

async function post (path: string, fields: Readonly<Record<string, string>>, headers = {}): Promise<Response> {
  return await fetch(server.origin + path, {
    method: 'POST', body: new URLSearchParams({ client_id: client.clientId, ...fields }), headers
  })
}

const nonce = String((await post('/token', {})).headers.get('dpop-nonce'))
const by = (key: DpopClient, claims = {}) => ({ dpop: key.proof(null, { claims: { nonce, ...claims } }) })

async function assertRefused (t: Test, response: Response, error: string): Promise<void> {
  t.equal(response.status, 400)
  t.equal((await response.json() as { error: string }).error, error)
  t.equal(response.headers.get('cache-control'), 'no-store')
  t.match(response.headers.get('dpop-nonce'), /^[\w.-]+$/)
}

async function signIn () {
  const { code, verifier } = await client.authorize({ dpop_jkt: owner.thumbprint })
  const fields = { grant_type: 'authorization_code', code, code_verifier: verifier }
  return { fields, exchange: async (headers = {}) => await post('/token', fields, headers) }
}

const call = async (headers: Readonly<Record<string, string>>): Promise<number> => {
  const answer = await fetch(server.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} })
  })
  await answer.text()
  return answer.status
}

t.test('a stolen code with its verifier is worth nothing without the key', async (t) => {
  const { exchange } = await signIn()
  await assertRefused(t, await exchange(), 'invalid_grant')
  await assertRefused(t, await exchange(by(thief)), 'invalid_grant')
  await assertRefused(t, await exchange(by(owner, { htu: `${server.origin}/mcp` })), 'invalid_dpop_proof')
  await assertRefused(t, await exchange(by(owner, { htu: 'https://evil.example/token' })), 'invalid_dpop_proof')
  await assertRefused(t, await exchange(by(owner, { iat: now() - 303 })), 'invalid_dpop_proof')
  await assertRefused(t, await exchange(by(owner, { iat: now() + 303 })), 'invalid_dpop_proof')
  await assertRefused(t, await exchange(by(owner, { nonce: 'made-up' })), 'use_dpop_nonce')
  await assertRefused(t, await exchange({ dpop: owner.proof(null) }), 'use_dpop_nonce')

  t.equal((await exchange(by(owner))).status, 200)
})

t.test('a proof that was caught on its way is no second one', async (t) => {
  const proof = by(owner)
  const first = await (await signIn()).exchange(proof)
  t.equal(first.status, 200)

  await assertRefused(t, await (await signIn()).exchange(proof), 'invalid_dpop_proof')
})

t.test('a stolen refresh token is worth nothing without the key, and trying it takes nothing from its owner', async (t) => {
  const tokens = await readTokens(await (await signIn()).exchange(by(owner)))
  const refresh = async (headers = {}) =>
    await post('/token', { grant_type: 'refresh_token', refresh_token: tokens.refresh_token }, headers)
  await assertRefused(t, await refresh(), 'invalid_grant')
  await assertRefused(t, await refresh(by(thief)), 'invalid_grant')

  t.equal((await refresh(by(owner))).status, 200)
})

t.test('a thief who binds a stolen refresh token to a key of its own loses it when its owner comes (AS-T9)', async (t) => {
  for (const after of ['at once', 'after another refresh']) {
    const { code, verifier } = await client.authorize()
    const fields = { grant_type: 'authorization_code', code, code_verifier: verifier }
    const { refresh_token: stolen } = await readTokens(await post('/token', fields))
    const refresh = async (token: string, headers = {}) =>
      await post('/token', { grant_type: 'refresh_token', refresh_token: token }, headers)
    let { refresh_token: token } = await readTokens(await refresh(stolen, by(thief)))
    if (after !== 'at once') token = (await readTokens(await refresh(token, by(thief)))).refresh_token

    await assertRefused(t, await refresh(stolen), 'invalid_grant')
    await assertRefused(t, await refresh(token, by(thief)), 'invalid_grant')
  }
})

t.test('a stolen access token is worth nothing without the key, opaque as it is', async (t) => {
  const { access_token: token } = await readTokens(await (await signIn()).exchange(by(owner)))
  const at = async (of: DpopClient) => (await keyFor('/mcp', of.key)).headers(token, { claims: { nonce } })

  t.equal(await call({ authorization: `Bearer ${token}` }), 401)
  t.equal(await call({ authorization: `DPoP ${token}` }), 401)
  t.equal(await call(await at(thief)), 401)
  t.equal(await call({ ...await at(owner), authorization: `Bearer ${token}` }), 401)
  t.equal(await call(await at(owner)), 200, 'with the nonce that the token endpoint gave')
})

t.test('nobody is told about a token without authentication, or about one for another resource', async (t) => {
  const { access_token: token } = await readTokens(await (await signIn()).exchange(by(owner)))
  const basic = { authorization: `Basic ${Buffer.from(`elsewhere:${SECRET}`).toString('base64')}` }
  const ask = async (fields: Readonly<Record<string, string>>, headers = {}) => {
    const answer = await fetch(`${server.origin}/introspect`, { method: 'POST', body: new URLSearchParams(fields), headers })
    return `${answer.status} ${await answer.text()}`
  }

  t.match(await ask({ token }), /^401 .*invalid_client/)
  t.match(await ask({ token, client_id: client.clientId }), /^401 .*invalid_client/)
  for (const asked of [token, 'made-up', `${token}x`]) {
    t.equal(await ask({ token: asked, token_type_hint: 'refresh_token' }, basic), '200 {"active":false}')
  }
})

t.test('nothing of all this is in the log', async (t) => {
  t.notMatch(server.output(), /dpop\+jwt|mcps_at_|eyJ/)
})

t.test('a token that was issued over mutual TLS is good over that certificate only (RFC 8705 §3)', async (t) => {
  const [tls, own, other] = [makeCertificate('127.0.0.1'), makeCertificate('own'), makeCertificate('own')]
  const https = { key: tls.key, cert: tls.cert, requestCert: true, rejectUnauthorized: false }
  const app = Fastify({ forceCloseConnections: true, https })
  t.teardown(async () => { await app.close() })
  const job = {
    clientId: 'job', secret: SECRET, grantTypes: ['client_credentials'], scope: 'notes:read', certificateBoundAccessTokens: true
  }
  await app.register(pkceStore, { clients: [job] })
  const { scopes, components = [] } = OPTIONS
  const clientCertificate = {}
  await app.register(scopeGuard, { issuer: ISSUER, resource: RESOURCE, scopes, components, clientCertificate })
  await app.register(oauthRoutes, { ...OPTIONS, clientCertificate })
  app.post('/mcp', async () => ({ jsonrpc: '2.0', id: 1, result: {} }))
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })

  async function token (certificate: typeof own | null): Promise<Readonly<Record<string, string>>> {
    const identity = certificate === null ? {} : { key: certificate.key, cert: certificate.cert }
    const sent = request(`${origin}/token`, {
      method: 'POST',
      ca: tls.cert,
      agent: false,
      auth: `job:${SECRET}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      ...identity
    })
    sent.end(`grant_type=client_credentials&resource=${encodeURIComponent(RESOURCE)}`)
    const [answer] = await once(sent, 'response')
    return JSON.parse(await text(answer))
  }
  t.match(await token(null), { error: 'invalid_request' })
  const { access_token: bound = '', token_type: type } = await token(own)
  t.equal(type, 'Bearer')

  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })
  const call = async (certificate: typeof own | null) => await tlsPost(`${origin}/mcp`, {
    authorization: `Bearer ${bound}`, 'content-type': 'application/json'
  }, { ca: tls.cert, own: certificate, body })
  t.equal(await call(own), 200)
  t.equal(await call(other), 401)
  t.equal(await call(null), 401)
})
