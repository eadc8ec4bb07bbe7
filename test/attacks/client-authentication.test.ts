import { once } from 'node:events'
import { createHmac } from 'node:crypto'
import { createServer, type AddressInfo } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { createSigningKey } from '../../lib/crypto/signing-key.js'
import { auditHook } from '../../lib/plugins/audit-hook.js'
import { oauthRoutes } from '../../lib/plugins/oauth-routes/index.js'
import { pkceStore } from '../../lib/plugins/pkce-store.js'
import type { OAuthRoutesOptions, PkceStoreOptions } from '../../types/options.js'
import { ASSERTION_TYPE, assertionClient, type AssertionClient } from '../helpers/assertion-client.js'
import type { Teardown } from '../helpers/build-app.js'
import { makeCertificate, tlsPost } from '../helpers/certificates.js'
import { stoppedClock } from '../helpers/clock.js'
import { json, serveDocuments } from '../helpers/document-server.js'
import { codeFor, ISSUER, oauthApp, OPTIONS, post, SECRET, VERIFIER, type Fields } from '../helpers/oauth-app.js'

const REDIRECT = 'https://job.example/cb'
const now = stoppedClock()
const make = (clientId: string) => assertionClient({ clientId, audience: ISSUER, now })
const [job, other, stranger] = await Promise.all([make('job'), make('other'), createSigningKey('ES256')])
const OLD = 'an-old-secret-of-thirty-two-characters-or-more'

const CLIENTS: NonNullable<PkceStoreOptions['clients']> = [
  { clientId: 'job', redirectUris: [REDIRECT], jwks: job.jwks },
  { clientId: 'other', redirectUris: [REDIRECT], jwks: other.jwks },
  { clientId: 'vault', redirectUris: [REDIRECT], secrets: [SECRET, OLD] },
  { clientId: 'open', redirectUris: [REDIRECT] },
  { clientId: 'named', redirectUris: [REDIRECT], tlsClientAuth: { sanDns: 'client.example' } }
]

async function start (t: Teardown, routes: Partial<OAuthRoutesOptions> = {}) {
  return await oauthApp(t, { clients: CLIENTS, routes })
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const basic = (id: string, secret: string) => ({ authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` })
const ask = (app: FastifyInstance, fields: Fields, headers = {}) =>
  post(app, '/revoke', { token: 'anything', ...fields }, headers)

t.test('a client with a key gets, refreshes and revokes tokens by it, and pushes requests', async (t) => {
  const { app } = await start(t)
  const code = await codeFor(app, { client_id: 'job', redirect_uri: REDIRECT })
  const exchanged = await post(app, '/token', {
    grant_type: 'authorization_code', code, code_verifier: VERIFIER, client_id: 'job', ...job.fields()
  })
  t.equal(exchanged.statusCode, 200)
  const refreshed = await post(app, '/token', {
    grant_type: 'refresh_token', refresh_token: exchanged.json().refresh_token, ...job.fields()
  })
  t.equal(refreshed.statusCode, 200)
  t.equal((await post(app, '/revoke', { token: refreshed.json().refresh_token, ...job.fields() })).statusCode, 200)
  const pushed = await post(app, '/par', {
    response_type: 'code', redirect_uri: REDIRECT, code_challenge: 'x'.repeat(43), code_challenge_method: 'S256', ...job.fields()
  })
  t.equal(pushed.statusCode, 201)
})

const pem = String(job.key.publicKey.export({ format: 'pem', type: 'spki' }))
const [, claims = ''] = job.assertion().split('.')
const macked = `${encode({ alg: 'HS256', kid: 'one' })}.${claims}`
const assertion = (text: string): Fields => ({ client_assertion_type: ASSERTION_TYPE, client_assertion: text })
const evilHeader = { jku: 'https://evil.example/jwks', x5u: 'https://evil.example/x5u', jwk: stranger.publicKey.export({ format: 'jwk' }) }

const REFUSED: Readonly<Record<string, readonly [Fields, object?]>> = {
  'alg none': [assertion(`${encode({ alg: 'none' })}.${claims}.`)],
  'alg none with a signature': [job.fields({ header: { alg: 'none' } })],
  'HS256 with the public key': [assertion(`${macked}.${createHmac('sha256', pem).update(macked).digest('base64url')}`)],
  'the key of another client': [job.fields({ by: other.key })],
  'a key that its header brings': [job.fields({ header: evilHeader, by: stranger })],
  'the assertion of another client': [{ client_id: 'job', ...other.fields() }],
  'the assertion of another client under this name': [other.fields({ claims: { sub: 'job' } })],
  'an assertion for another server': [job.fields({ claims: { aud: 'https://as.other.example' } })],
  'an assertion for two servers': [job.fields({ claims: { aud: [ISSUER, 'https://as.other.example'] } })],
  'an assertion for good': [job.fields({ claims: { exp: now() + 86_400 } })],
  'an assertion without an end': [job.fields({ claims: { exp: undefined } })],
  'an assertion of yesterday': [job.fields({ claims: { exp: now() - 86_400 } })],
  'an access token': [job.fields({ header: { typ: 'at+jwt' } })],
  'a huge assertion': [assertion(job.assertion({ claims: { more: 'x'.repeat(8192) } }))],
  'many dots': [assertion('.'.repeat(8000))],
  'a deep header': [assertion(`${Buffer.from('['.repeat(4000)).toString('base64url')}.${claims}.AAAA`)],
  'another type of assertion': [{ client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer', client_assertion: job.assertion() }],
  'only its name': [{ client_id: 'job' }],
  'its name and a secret': [{ client_id: 'job', client_secret: SECRET }],
  'its name by Basic': [{}, basic('job', '')],
  'its name and a secret by Basic': [{}, basic('job', SECRET)],
  'a public client with the key of another one': [{ client_id: 'open', ...job.fields() }],
  'a public client with a secret': [{ client_id: 'open', client_secret: SECRET }],
  'a client with a secret, without it': [{ client_id: 'vault' }],
  'a client with a secret, by a key': [job.fields({ claims: { iss: 'vault', sub: 'vault' } })],
  'a client with a certificate, without it': [{ client_id: 'named' }],
  'a client with a certificate, by a secret': [{ client_id: 'named', client_secret: SECRET }],
  'nobody\'s assertion': [job.fields({ claims: { iss: 'nobody', sub: 'nobody' } })]
}

t.test('whatever does not show who the client is gets the same 401, and no way is weaker than the registered one', async (t) => {
  const { app, events } = await start(t)
  const bodies = new Set<string>()
  for (const [name, [fields, headers]] of Object.entries(REFUSED)) {
    const answer = await ask(app, fields, headers)
    t.equal(answer.statusCode, 401, name)
    t.equal(answer.headers['cache-control'], 'no-store', name)
    t.equal(answer.headers['www-authenticate'] === undefined, headers === undefined, name)
    t.match(events.at(-1), { type: 'revocation.refused', outcome: 'denied' }, name)
    bodies.add(answer.body)
  }
  t.same([...bodies], ['{"error":"invalid_client","error_description":"client authentication failed"}'])
  t.notMatch(JSON.stringify(events), /eyJ|evil\.example/)
})

const AMBIGUOUS: Readonly<Record<string, readonly [Fields, object?]>> = {
  'an assertion and a secret': [{ client_id: 'job', client_secret: SECRET, ...job.fields() }],
  'an assertion and Basic': [job.fields(), basic('vault', SECRET)],
  'Basic and a secret': [{ client_secret: SECRET }, basic('vault', SECRET)],
  'Basic and another name': [{ client_id: 'open' }, basic('vault', SECRET)]
}

for (const [name, [fields, headers]] of Object.entries(AMBIGUOUS)) {
  t.test(`${name} at once are refused as invalid_request (AS-T3)`, async (t) => {
    const { app } = await start(t)
    t.match(await ask(app, fields, headers), { statusCode: 400, body: /"error":"invalid_request"/ })
  })
}

t.test('the old secret is as good as the new one until the operator takes it away', async (t) => {
  const { app } = await start(t)

  t.equal((await ask(app, {}, basic('vault', SECRET))).statusCode, 200)
  t.equal((await ask(app, {}, basic('vault', OLD))).statusCode, 200)
  t.equal((await ask(app, {}, basic('vault', `${OLD}${SECRET}`))).statusCode, 401)
})

t.test('an assertion that was seen on its way is good once where the server is strict', async (t) => {
  const { app } = await start(t, { strict: true })
  const fields = job.fields()
  const answers = await Promise.all([ask(app, fields), ask(app, fields), ask(app, fields)])

  t.same(answers.map(({ statusCode }) => statusCode).sort(), [200, 401, 401])
  t.equal((await ask(app, job.fields({ claims: { aud: `${ISSUER}/token` } }))).statusCode, 401)
})

t.test('what a lenient server lets pass is told to the audit', async (t) => {
  const { app, events } = await start(t)
  const fields = job.fields({ claims: { aud: `${ISSUER}/token` } })
  await ask(app, fields)
  await ask(app, fields)

  t.same(events.filter(({ type }) => type === 'leniency.used').map(({ operation, clientId }) => [operation, clientId]),
    [['assertionAudience', 'job'], ['assertionAudience', 'job'], ['assertionReuse', 'job']])
})

const registration = (more: object) => ({ client_name: 'c', redirect_uris: [REDIRECT], token_endpoint_auth_method: 'private_key_jwt', ...more })

async function registered (app: FastifyInstance, more: object): Promise<AssertionClient> {
  const draft = await make('draft')
  const answer = await app.inject({ method: 'POST', url: '/register', payload: registration({ jwks: draft.jwks, ...more }) })
  const { client_id: clientId } = answer.json<{ client_id: string }>()
  const { key } = draft
  const own = await make(clientId)
  return {
    ...own,
    key,
    fields: (changes) => own.fields({ by: key, ...changes })
  }
}

t.test('a client that registered its key shows it, and registers no private one', async (t) => {
  const { app } = await start(t)
  const client = await registered(app, {})
  t.equal((await ask(app, client.fields())).statusCode, 200)
  t.equal((await ask(app, client.fields({ by: stranger }))).statusCode, 401)

  const secret = stranger.privateKey.export({ format: 'jwk' })
  const answer = await app.inject({ method: 'POST', url: '/register', payload: registration({ jwks: { keys: [secret] } }) })
  t.equal(answer.statusCode, 400)
  t.equal(answer.json().error, 'invalid_client_metadata')
  t.notOk(answer.body.includes(String(secret.d)))
})

t.test('a client brings no key that takes the server long to verify with, neither by value nor by reference', async (t) => {
  const n = Buffer.alloc(384, 0xff).toString('base64url')
  const slow = { kty: 'RSA', kid: 'one', n, e: Buffer.alloc(384, 1).toString('base64url') }
  const server = await serveDocuments(t, json({ keys: [slow] }), 'localhost')
  const { app, events } = await start(t, { clientKeys: { loopback: true, agent: server.options.agent } })
  const answer = await app.inject({ method: 'POST', url: '/register', payload: registration({ jwks: { keys: [slow] } }) })
  t.match(answer.json(), { error: 'invalid_client_metadata' })

  const client = await registered(app, { jwks: undefined, jwks_uri: server.url('/jwks').href })
  const forged = client.fields({ header: { alg: 'RS256' } })
  for (const url of ['/token', '/introspect', '/revoke', '/par']) {
    t.equal((await post(app, url, { token: 'anything', ...forged })).statusCode, 401, url)
    t.match(events.at(-1), { reason: 'client assertion: unknown key' }, url)
  }
})

t.test('key sets that are small on the wire and large in memory are not kept', async (t) => {
  const server = await serveDocuments(t, json({}), 'localhost')
  const { app } = await start(t, { clientKeys: { loopback: true, agent: server.options.agent } })
  const bomb = { keys: Array.from({ length: 5000 }, (_, index) => ({ [index]: 0 })) }
  server.answer(json(bomb))
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const held = () => {
    collect()
    return process.memoryUsage().heapUsed / 2 ** 20
  }
  const before = held()
  for (let index = 0; index < 30; index += 1) {
    const client = await registered(app, { jwks: undefined, jwks_uri: server.url(`/${index}`).href })
    t.equal((await ask(app, client.fields())).statusCode, 401)
  }
  const grown = held() - before
  t.ok(grown < 60, `${Math.round(grown)} MB more; as they came they would take 400`)
})

t.test('a client leads the server to nothing inside by its jwks_uri (AS-R6, mistake 16)', async (t) => {
  let connections = 0
  const sink = createServer((socket) => { connections += 1; socket.destroy() }).listen(0, '127.0.0.1')
  await once(sink, 'listening')
  t.teardown(() => { sink.close() })
  const { port } = sink.address() as AddressInfo
  const { app } = await start(t)
  const bodies = new Set<string>()
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, `2130706433:${port}`, '169.254.169.254', '10.0.0.1']) {
    const client = await registered(app, { jwks: undefined, jwks_uri: `https://${host}/jwks` })
    const answer = await ask(app, client.fields())
    t.equal(answer.statusCode, 503, host)
    t.ok(answer.headers['retry-after'])
    bodies.add(answer.body)
  }
  t.equal(bodies.size, 1, 'every refusal looks the same')
  t.notMatch([...bodies].join(), /127|address|public/)
  t.equal(connections, 0)
})

t.test('a client with a document is known by the keys of its document, and not without (PX-17)', async (t) => {
  const server = await serveDocuments(t, (_request, response) => { response.writeHead(404).end() }, 'localhost')
  const clientId = server.url().href
  const client = await make(clientId)
  server.answer(json({
    client_id: clientId, client_name: 'c', redirect_uris: [REDIRECT], token_endpoint_auth_method: 'private_key_jwt', jwks: client.jwks
  }))
  const { app } = await start(t, { clientDocuments: { loopback: true, agent: server.options.agent } })
  const code = await codeFor(app, { client_id: clientId, redirect_uri: REDIRECT })
  const exchange = (fields: Fields) => post(app, '/token', { grant_type: 'authorization_code', code, code_verifier: VERIFIER, ...fields })

  t.equal((await exchange({ client_id: clientId })).statusCode, 401)
  t.equal((await exchange({ client_id: clientId, ...client.fields({ by: stranger }) })).statusCode, 401)
  t.equal((await exchange({ client_id: clientId, ...client.fields() })).statusCode, 200)
})

const [tls, named, self] = [makeCertificate('127.0.0.1'), makeCertificate('named', ['DNS:client.example']), makeCertificate('own')]
const selfJwks = { keys: [{ ...stranger.publicKey.export({ format: 'jwk' }), x5c: [self.der.toString('base64')] }] }

/** Its TLS layer trusts the certificate `named`, and lets in whoever has any. */
async function secureServer (t: Teardown, clientCertificate: OAuthRoutesOptions['clientCertificate']): Promise<string> {
  const https = { key: tls.key, cert: tls.cert, requestCert: true, rejectUnauthorized: false, ca: named.cert }
  const app = Fastify({ forceCloseConnections: true, https })
  t.teardown(async () => { await app.close() })
  await app.register(auditHook, { log: false })
  await app.register(pkceStore, {
    clients: [...CLIENTS, { clientId: 'self', redirectUris: [REDIRECT], tokenEndpointAuthMethod: 'self_signed_tls_client_auth', jwks: selfJwks }]
  })
  await app.register(oauthRoutes, { ...OPTIONS, ...(clientCertificate === undefined ? {} : { clientCertificate }) })
  return await app.listen({ port: 0, host: '127.0.0.1' })
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const fieldOf = ({ der }: typeof named) => ({ 'client-cert': `:${der.toString('base64')}:` })

t.test('over mutual TLS a client is who its certificate says, and nobody else', async (t) => {
  const origin = await secureServer(t, {})
  const show = (clientId: string, own: typeof named | null, headers = {}) => tlsPost(`${origin}/revoke`, { ...FORM, ...headers },
    { ca: tls.cert, own, body: `token=x&client_id=${clientId}` })

  t.equal(await show('named', named), 200)
  t.equal(await show('self', self), 200)
  t.equal(await show('named', makeCertificate('named', ['DNS:client.example'])), 401, 'the same words, trusted by nobody')
  t.equal(await show('named', self), 401)
  t.equal(await show('named', null), 401)
  t.equal(await show('named', null, fieldOf(named)), 401)
  t.equal(await show('self', named), 401)
  t.equal(await show('self', null), 401)
  t.equal(await show('job', named), 401)
  t.equal(await show('vault', self), 401)
})

t.test('certificates show nothing where the operator did not say so', async (t) => {
  const origin = await secureServer(t, undefined)

  t.equal(await tlsPost(`${origin}/revoke`, FORM, { ca: tls.cert, own: named, body: 'token=x&client_id=named' }), 401)
})

t.test('a proxy shows whose a certificate is only when it looks at the chain', async (t) => {
  const by = async (clientCertificate: NonNullable<OAuthRoutesOptions['clientCertificate']>) => {
    const { app } = await start(t, { clientCertificate })
    return (await ask(app, { client_id: 'named' }, fieldOf(named))).statusCode
  }
  const proxy = { header: 'client-cert', proxies: ['127.0.0.1'] }

  t.equal(await by({ ...proxy, proxiesVerify: true }), 200)
  t.equal(await by(proxy), 401)
  t.equal(await by({ ...proxy, proxiesVerify: true, proxies: ['192.0.2.1'] }), 401)
})

t.test('the metadata names the origin where TLS asks for certificates, and nothing of it where it does not', async (t) => {
  const of = async (routes: Partial<OAuthRoutesOptions>) => {
    const { app } = await start(t, routes)
    return (await app.inject('/.well-known/oauth-authorization-server')).json()
  }
  const certificateOrigin = 'https://mtls.as.example'

  t.match(await of({ clientCertificate: {}, certificateOrigin }), {
    mtls_endpoint_aliases: { token_endpoint: `${certificateOrigin}/token`, revocation_endpoint: `${certificateOrigin}/revoke` }
  })
  t.notMatch(await of({ clientCertificate: {} }), { mtls_endpoint_aliases: Object })
})
