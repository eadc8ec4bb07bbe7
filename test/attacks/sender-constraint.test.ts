import { createHmac, createSign } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { DpopSession, withDpop } from '@modelcontextprotocol/client'
import { systemClock } from '../../lib/clock.js'
import { sha256 } from '../../lib/crypto/digest.js'
import { auditHook } from '../../lib/plugins/audit-hook.js'
import { scopeGuard } from '../../lib/plugins/scope-guard.js'
import { jwksVerifier } from '../../lib/tokens/jwks-verifier.js'
import type { AuditEvent } from '../../types/audit.js'
import type { ScopeGuardOptions } from '../../types/options.js'
import { buildApp, type Teardown } from '../helpers/build-app.js'
import { makeCertificate, tlsPost } from '../helpers/certificates.js'
import { stoppedClock } from '../helpers/clock.js'
import { dpopClient, type ProofChanges } from '../helpers/dpop.js'
import { foreignServer, RESOURCE, START, type Members } from '../helpers/foreign-server.js'

// Mistake 23 and RS-18, EX-20, EX-22: whoever has a token of somebody else and not the key gets nowhere. Real tokens,
// signed by a server whose keys are fetched, and real proofs, over real connections.

const NOW = (): number => START
const owner = await dpopClient({ htu: RESOURCE, now: NOW })
const thief = await dpopClient({ htu: RESOURCE, now: NOW })
const withRsa = await dpopClient({ htu: RESOURCE, now: NOW, algorithm: 'RS256' })

async function start (t: Teardown, more: Partial<ScopeGuardOptions> = {}, app: FastifyInstance = buildApp(t)) {
  const server = await foreignServer(t)
  const { issuer, jwksUri } = server
  const { resource = RESOURCE } = more
  const events: AuditEvent[] = []
  const handled: unknown[] = []
  await app.register(auditHook, { log: false, sink: (event) => { events.push(event) } })
  await app.register(scopeGuard, {
    resource: RESOURCE,
    scopes: { 'notes:read': 'Read your notes' },
    components: [{ tool: 'search', scopes: ['notes:read'] }],
    verifier: jwksVerifier({ issuer, jwksUri, resource }),
    dpop: {},
    clock: stoppedClock(START),
    ...more
  })
  app.post('/mcp', async ({ mcpAuth }) => { handled.push(mcpAuth?.subject); return { jsonrpc: '2.0', id: 1, result: {} } })
  app.get('/notes', async ({ mcpAuth }) => { handled.push(mcpAuth?.subject); return 'notes' })
  const token = (cnf?: Members, claims: Members = {}) => server.token({ cnf, ...claims })
  return { server, app, events, handled, token, bound: token({ jkt: owner.thumbprint }) }
}

const BODY = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'search', arguments: {} } })

interface Answer {
  readonly status: number
  readonly headers: string
}

/** Sends the header lines as they are: `fetch` would join two of one name. */
async function send (app: FastifyInstance, lines: readonly string[], first = 'POST /mcp HTTP/1.1'): Promise<Answer> {
  const { port } = app.server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  const body = first.startsWith('POST') ? BODY : ''
  socket.write([
    first, 'Host: evil.example', 'Content-Type: application/json', `Content-Length: ${body.length}`, ...lines,
    'Connection: close', '', body
  ].join('\r\n'))
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  const [headers = ''] = answer.split('\r\n\r\n')
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(headers)?.[1]), headers }
}

const shown = (token: string, ...proofs: readonly string[]): string[] =>
  [`Authorization: DPoP ${token}`, ...proofs.map((proof) => `DPoP: ${proof}`)]

function macked (token: string, secret: string): string {
  const [header, payload] = owner.proof(token, { header: { alg: 'HS256' } }).split('.')
  return `${header}.${payload}.${createHmac('sha256', secret).update(`${header}.${payload}`).digest('base64url')}`
}

const changes: Record<string, ProofChanges> = {
  'another path': { claims: { htu: 'https://mcp.example.com/other' } },
  'another host': { claims: { htu: 'https://evil.example/mcp' } },
  'the host that the request names': { claims: { htu: 'http://evil.example/mcp' } },
  'http in place of https': { claims: { htu: 'http://mcp.example.com/mcp' } },
  'a user before the host': { claims: { htu: 'https://mcp.example.com@evil.example/mcp' } },
  'our address in its query': { claims: { htu: 'https://evil.example/?https://mcp.example.com/mcp' } },
  'a slash more': { claims: { htu: `${RESOURCE}/` } },
  'no address': { claims: { htu: undefined } },
  'another method': { claims: { htm: 'GET' } },
  'the method in lower case': { claims: { htm: 'post' } },
  'no method': { claims: { htm: undefined } },
  'a time of 303 seconds ago': { claims: { iat: START - 303 } },
  'a time in 303 seconds': { claims: { iat: START + 303 } },
  'no time': { claims: { iat: undefined } },
  'a time that is a text': { claims: { iat: String(START) } },
  'no name': { claims: { jti: undefined } },
  'a name without end': { claims: { jti: 'x'.repeat(300) } },
  'no hash of the token': { claims: { ath: undefined } },
  'the hash of another token': { claims: { ath: sha256('another') } },
  'the hash in hex': { claims: { ath: Buffer.from(sha256('x'), 'base64url').toString('hex') } },
  'no type': { header: { typ: undefined } },
  'the type of an access token': { header: { typ: 'at+jwt' } },
  'the type JWT': { header: { typ: 'JWT' } },
  'alg none': { header: { alg: 'none' } },
  'another algorithm': { header: { alg: 'RS256' } },
  'no key': { header: { jwk: undefined } },
  'only the name of the key': { header: { jwk: undefined, kid: owner.thumbprint } },
  'only where the key is': { header: { jwk: undefined, jku: 'https://evil.example/keys', kid: 'x' } },
  'the private key': { header: { jwk: owner.key.privateKey.export({ format: 'jwk' }) } },
  'the key of the thief': { header: { jwk: thief.jwk } },
  'a shared key': { header: { jwk: { kty: 'oct', k: 'AAAA' } } },
  'an extension that must be understood': { header: { crit: ['b64'], b64: false } }
}

t.test('a good proof of the owner gets in, whatever Host says, and only once', async (t) => {
  const { app, bound, handled, events } = await start(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const proof = owner.proof(bound)

  t.equal((await send(app, shown(bound, proof))).status, 200)
  const again = await send(app, shown(bound, proof))
  t.equal(again.status, 401)
  t.match(again.headers, /DPoP error="invalid_dpop_proof"/)
  t.equal((await send(app, shown(bound, owner.proof(bound, { claims: { htu: `${RESOURCE}?a=b#c` } })))).status, 200)
  t.equal((await send(app, shown(bound, owner.proof(bound, { claims: { iat: START - 300 } })))).status, 200)
  t.equal((await send(app, shown(bound, owner.proof(bound, { claims: { iat: START + 300 } })))).status, 200)
  t.strictSame(handled, ['alice', 'alice', 'alice', 'alice'])
  t.match(events.find(({ type }) => type === 'access.denied'), { reason: 'proof used before' })
})

t.test('every other proof is 401 in the words of RFC 9449, and the audit knows which', async (t) => {
  const { app, bound, token, handled, events, server } = await start(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const ofRsa = token({ jkt: withRsa.thumbprint })
  const good = owner.proof(bound)
  const [head = '', payload = '', signature = ''] = good.split('.')
  const der = createSign('sha256').update(`${head}.${payload}`).sign(owner.key.privateKey).toString('base64url')

  const attacks: Record<string, readonly string[]> = {
    ...Object.fromEntries(Object.entries(changes).map(([what, change]) =>
      [what, shown(bound, owner.proof(bound, change))])),
    'no proof': shown(bound),
    'an empty proof': shown(bound, ''),
    'two proofs in two lines': shown(bound, owner.proof(bound), owner.proof(bound)),
    'a proof and something else': shown(bound, owner.proof(bound), 'x'),
    'two proofs in one line': shown(bound, `${owner.proof(bound)}, ${owner.proof(bound)}`),
    'the proof of another key': shown(bound, thief.proof(bound)),
    'the signature of another key under ours': shown(bound, `${head}.${payload}.${thief.proof(bound).split('.')[2]}`),
    'no signature': shown(bound, `${head}.${payload}.`),
    'half of the signature': shown(bound, `${head}.${payload}.${signature.slice(0, 43)}`),
    'a signature of zeroes': shown(bound, `${head}.${payload}.${'A'.repeat(86)}`),
    'a signature in DER': shown(bound, `${head}.${payload}.${der}`),
    'HS256 with the public key': shown(bound, macked(bound, JSON.stringify(owner.jwk))),
    'HS256 with the public key in PEM': shown(bound, macked(bound, String(owner.key.publicKey.export({ format: 'pem', type: 'spki' })))),
    'HS256 with nothing': shown(bound, macked(bound, '')),
    'an access token as its own proof': shown(bound, bound),
    'a proof of more than 4096 characters': shown(bound, owner.proof(bound, { claims: { more: 'x'.repeat(4096) } })),
    'a proof as the token': shown(good, owner.proof(good)),
    'a proof that was signed before the token was there': shown(bound, owner.proof(null)),
    'a token of another key with the proof of ours': shown(ofRsa, owner.proof(ofRsa)),
    'a token without a key': shown(token(), owner.proof(token())),
    'a token of another server': shown(`${bound.slice(0, -8)}AAAAAAAA`, owner.proof(bound)),
    'a token that has expired': shown(token({ jkt: owner.thumbprint }, { exp: START }), owner.proof(bound)),
    'a token for another audience': shown(token({ jkt: owner.thumbprint }, { aud: 'https://other.example' }), owner.proof(bound)),
    'a bound token as a bearer token': [`Authorization: Bearer ${bound}`],
    'a bound token as a bearer token with its proof': [`Authorization: Bearer ${bound}`, `DPoP: ${owner.proof(bound)}`],
    'a token that is bound to something else': [`Authorization: Bearer ${token({ kid: 'x' })}`],
    'a token that is bound to nothing in particular': [`Authorization: Bearer ${token({})}`],
    'a token that is bound to a certificate': [`Authorization: Bearer ${token({ 'x5t#S256': 'x'.repeat(43) })}`],
    'a token in a header of the scheme alone': ['Authorization: DPoP', `DPoP: ${owner.proof('')}`]
  }
  for (const [what, lines] of Object.entries(attacks)) {
    events.length = 0
    const { status, headers } = await send(app, lines)

    t.equal(status, 401, what)
    t.match(headers, /www-authenticate: Bearer resource_metadata="[^"]+".*DPoP (error="(invalid_dpop_proof|invalid_token)", error_description="[^"]+", )?algs="ES256 RS256 PS256 EdDSA"/, what)
    t.match(events, [{ type: 'access.denied', reason: /./ }], what)
    t.notMatch(JSON.stringify(events), /eyJ/, what)
  }
  t.equal((await send(app, [`Authorization: DPoP ${bound}`, `Authorization: Bearer ${bound}`])).status, 400)
  t.strictSame(handled, [])
  t.ok(server.requests.every(({ path }) => path === '/jwks'))
  t.equal((await send(app, shown(ofRsa, withRsa.proof(ofRsa)))).status, 200)
})

t.test('a proof for the MCP endpoint opens no other route, and the other way round', async (t) => {
  const { app, bound, handled } = await start(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const get = (htu: string) =>
    send(app, shown(bound, owner.proof(bound, { claims: { htm: 'GET', htu } })), 'GET /notes?a=b HTTP/1.1')

  t.equal((await get(RESOURCE)).status, 401)
  t.equal((await get('http://evil.example/notes')).status, 401)
  t.strictSame(handled, [])
  t.equal((await get('https://mcp.example.com/notes')).status, 200)
  t.equal((await send(app, shown(bound, owner.proof(bound, { claims: { htu: 'https://mcp.example.com/notes' } })))).status, 401)
})

t.test('a thousand copies of one proof at once: one gets in', async (t) => {
  const { app, bound, handled } = await start(t)
  const headers = { authorization: `DPoP ${bound}`, dpop: owner.proof(bound), 'content-type': 'application/json' }

  const answers = await Promise.all(Array.from({ length: 1000 }, async () =>
    await app.inject({ method: 'POST', url: '/mcp', headers, payload: BODY })))

  t.equal(answers.filter(({ statusCode }) => statusCode === 200).length, 1)
  t.equal(handled.length, 1)
})

t.test('a nonce that is missing, old or of another server is asked for anew', async (t) => {
  const clock = stoppedClock(START)
  const { app, bound, handled } = await start(t, { dpop: { nonce: true }, clock })
  const other = await start(t, { dpop: { nonce: true }, clock })
  for (const { app: one } of [{ app }, other]) await one.listen({ port: 0, host: '127.0.0.1' })
  const ask = async (nonce?: string, one = app) =>
    await send(one, shown(bound, owner.proof(bound, { claims: { nonce, iat: clock() } })))
  const nonceOf = ({ headers }: Answer): string => /^dpop-nonce: (\S+)/m.exec(headers)?.[1] ?? ''

  const first = await ask()
  const foreign = nonceOf(await ask(undefined, other.app))
  t.match(first.headers, /DPoP error="use_dpop_nonce"/)
  const nonce = nonceOf(first)
  t.not(nonce, foreign)
  for (const bad of [foreign, '', 'x', `${nonce}x`]) t.equal((await ask(bad)).status, 401, bad)
  t.strictSame(handled, [])
  t.equal((await ask(nonce)).status, 200)
  clock.advance(240)
  t.match((await ask(nonce)).headers, /DPoP error="use_dpop_nonce"/)
})

t.test('EX-23: the DPoP client of SDK v2 gets in, and finds out about the nonce by itself', async (t) => {
  const http = createServer()
  await once(http.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    http.closeAllConnections()
    http.close()
  })
  const resource = `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`
  const session = await DpopSession.create()
  const app = buildApp(t, { serverFactory: (handler) => http.on('request', handler) })
  const dpop = { nonce: true }
  const { server, handled } = await start(t, { resource, dpop, clock: systemClock }, app)
  await app.ready()
  const cnf = { jkt: session.thumbprint }
  const token = server.token({ aud: resource, iat: systemClock(), exp: systemClock() + 900, cnf })
  const statuses: number[] = []
  const watched: typeof fetch = async (input, init) => {
    const response = await fetch(input, init)
    statuses.push(response.status)
    return response
  }
  const post = withDpop(session, () => token)(watched)

  for (let count = 0; count < 2; count += 1) {
    const response = await post(resource, { method: 'POST', body: BODY, headers: { 'content-type': 'application/json' } })
    t.equal(response.status, 200)
  }

  t.strictSame(statuses, [401, 200, 200])
  t.strictSame(handled, ['alice', 'alice'])
})

t.test('a certificate in a header of a stranger means nothing; of the proxy it is compared', async (t) => {
  const mine = makeCertificate('mine')
  const header = { 'client-cert': `:${mine.der.toString('base64')}:` }
  const nginx = { 'x-ssl-cert': encodeURIComponent(mine.cert) }
  const ask = async (proxies: readonly string[], name: string, headers: Record<string, string>) => {
    const { app, token } = await start(t, { clientCertificate: { header: name, proxies } })
    const certified = token({ 'x5t#S256': mine.thumbprint })
    const origin = await app.listen({ port: 0, host: '127.0.0.1' })
    const { status } = await fetch(`${origin}/mcp`, {
      method: 'POST', body: BODY, headers: { authorization: `Bearer ${certified}`, 'content-type': 'application/json', ...headers }
    })
    return status
  }

  t.equal(await ask(['127.0.0.0/8'], 'client-cert', header), 200)
  t.equal(await ask(['127.0.0.0/8'], 'X-SSL-Cert', nginx), 200)
  t.equal(await ask(['10.0.0.0/8'], 'client-cert', header), 401)
  t.equal(await ask(['10.0.0.0/8'], 'client-cert', { ...header, 'x-forwarded-for': '10.0.0.1' }), 401)
  t.equal(await ask(['127.0.0.0/8'], 'client-cert', nginx), 401)
  t.equal(await ask(['127.0.0.0/8'], 'client-cert', {}), 401)
})

t.test('over mutual TLS a token works with its own certificate only, and no header helps', async (t) => {
  const [server, mine, another] = [makeCertificate('127.0.0.1'), makeCertificate('mine'), makeCertificate('another')]
  const https = { key: server.key, cert: server.cert, requestCert: true, rejectUnauthorized: false }
  const secure = Fastify({ forceCloseConnections: true, https })
  t.teardown(async () => { await secure.close() })
  const { token, handled, events } = await start(t, { clientCertificate: {} }, secure as unknown as FastifyInstance)
  const origin = await secure.listen({ port: 0, host: '127.0.0.1' })
  const certified = token({ 'x5t#S256': mine.thumbprint })
  const ask = async (own: typeof mine | null, more: Record<string, string> = {}) => await tlsPost(`${origin}/mcp`,
    { authorization: `Bearer ${certified}`, ...more }, { ca: server.cert, own })

  t.equal(await ask(mine), 415, 'let in, and refused for its body')
  t.equal(await ask(another), 401)
  t.equal(await ask(null), 401)
  t.equal(await ask(another, { 'client-cert': `:${mine.der.toString('base64')}:` }), 401)
  t.strictSame(handled, [])
  t.match(events.filter(({ type }) => type === 'access.denied'), [
    { reason: 'bound to another certificate' }, { reason: 'bound to another certificate' }, { reason: 'bound to another certificate' }
  ])
})
