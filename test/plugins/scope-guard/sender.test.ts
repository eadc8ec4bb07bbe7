import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { randomId, sha256 } from '../../../lib/crypto/digest.js'
import { auditHook } from '../../../lib/plugins/audit-hook.js'
import { pkceStore } from '../../../lib/plugins/pkce-store.js'
import { scopeGuard } from '../../../lib/plugins/scope-guard.js'
import type { AuditEvent } from '../../../types/audit.js'
import type { ScopeGuardOptions } from '../../../types/options.js'
import type { TokenVerifier } from '../../../types/principal.js'
import type { RecordStore } from '../../../types/stores.js'
import { memoryStore } from '../../../lib/stores/memory.js'
import type { Teardown } from '../../helpers/build-app.js'
import { makeCertificate, tlsPost, type MadeCertificate } from '../../helpers/certificates.js'
import { stoppedClock } from '../../helpers/clock.js'
import { dpopClient, type ProofChanges } from '../../helpers/dpop.js'
import { versions } from '../../helpers/fastify-versions.js'
import { bearer, callTool, COMPONENTS, guardOptions, METADATA, principalWith, RESOURCE, verifierOf, type Tokens } from '../../helpers/guard.js'
import { rawRequest } from '../../helpers/raw-request.js'

const NOW = 1_700_000_000
const CERTIFICATE = Buffer.from('a certificate in DER')
const client = await dpopClient({ htu: RESOURCE, now: () => NOW })
const thief = await dpopClient({ htu: RESOURCE, now: () => NOW })
const ofCertificate = { 'x5t#S256': sha256('a certificate in DER') }

const tokens: Tokens = {
  plain: principalWith(['notes:read']),
  bound: principalWith(['notes:read'], { confirmation: { jkt: client.thumbprint } }),
  certified: principalWith(['notes:read'], { confirmation: ofCertificate }),
  both: principalWith(['notes:read'], { confirmation: { jkt: client.thumbprint, ...ofCertificate } }),
  strange: principalWith(['notes:read'], { confirmation: { kid: 'x' } }),
  dead: principalWith(['notes:read'], { confirmation: { jkt: client.thumbprint }, expiresAt: NOW })
}

interface Guarded {
  readonly app: FastifyInstance
  readonly events: AuditEvent[]
  readonly handled: unknown[]
}

async function guarded (
  t: Teardown, more: Partial<ScopeGuardOptions> = {}, { version = 'newest', store = null }: {
    version?: string, store?: RecordStore | null
  } = {}
): Promise<Guarded> {
  const app = versions[version]?.(t)
  if (app === undefined) throw new Error(`no Fastify ${version}`)
  const events: AuditEvent[] = []
  const handled: unknown[] = []
  await app.register(auditHook, { log: false, sink: (event) => { events.push(event) } })
  if (store !== null) await app.register(pkceStore, { store, secrets: ['x'.repeat(32)] })
  await app.register(scopeGuard, guardOptions({ verifier: verifierOf(tokens), dpop: {}, ...more }))
  app.post('/mcp', async (request) => { handled.push(request.mcpAuth); return { jsonrpc: '2.0', id: 1, result: {} } })
  app.get('/notes', async (request) => { handled.push(request.mcpAuth); return 'notes' })
  app.get('/hijacked', async (_request, reply) => { reply.hijack(); reply.raw.writeHead(200).end('by hand') })
  return { app, events, handled }
}

type Headers = Record<string, string | string[]>
const post = (headers: Headers) => ({ method: 'POST', url: '/mcp', headers, payload: callTool('search') } as const)
const challengeOf = ({ headers }: { headers: object }): string => String(Object.entries(headers).find(([name]) => name === 'www-authenticate')?.[1])

const place = `Bearer resource_metadata="${METADATA}", scope="notes:read"`
const algs = 'algs="ES256 RS256 PS256 EdDSA"'
const failed = (error: string): RegExp => new RegExp(`^${place}, DPoP error="${error}", error_description="[^"=]+", ${algs}$`)
const changed = (changes: ProofChanges): Headers => client.headers('bound', changes)

const refused: Record<string, [Headers, RegExp, string]> = {
  'a bound token as a bearer token': [bearer('bound'), new RegExp(`^${place}, error="invalid_token", error_description="[^"]+", DPoP ${algs}$`), 'bound to a key'],
  'a bound token as a bearer token with a good proof': [
    { ...client.headers('bound'), ...bearer('bound') }, / error="invalid_token", /, 'bound to a key'
  ],
  'a plain token under DPoP': [client.headers('plain'), failed('invalid_token'), 'not bound to a key'],
  'an unknown token under DPoP': [client.headers('unknown'), failed('invalid_token'), 'unknown token'],
  'a dead token under DPoP': [client.headers('dead'), failed('invalid_token'), 'expired'],
  'no token under DPoP': [{ authorization: 'DPoP ' }, failed('invalid_token'), 'not a bearer token'],
  'a token with an unknown confirmation': [bearer('strange'), / error="invalid_token", /, 'unknown confirmation'],
  'a token of a certificate, where none is asked for': [bearer('certified'), / error="invalid_token", /, 'bound to a certificate'],
  'no proof': [{ authorization: 'DPoP bound' }, failed('invalid_dpop_proof'), 'no DPoP header'],
  'an empty proof': [{ authorization: 'DPoP bound', dpop: '' }, failed('invalid_dpop_proof'), 'proof: not a JWT'],
  'the proof of another key': [thief.headers('bound'), failed('invalid_token'), 'bound to another key'],
  'a proof for another method': [changed({ claims: { htm: 'GET' } }), failed('invalid_dpop_proof'), 'htm is not the method'],
  'a proof for another host': [changed({ claims: { htu: 'https://evil.example/mcp' } }), failed('invalid_dpop_proof'), 'htu is not the address'],
  'an old proof': [changed({ claims: { iat: NOW - 303 } }), failed('invalid_dpop_proof'), 'iat is too old'],
  'a proof for another token': [
    { authorization: 'DPoP bound', dpop: client.proof('plain') }, failed('invalid_dpop_proof'), 'ath is not of the access token'
  ]
}
for (const version of Object.keys(versions)) {
  for (const [what, [headers, challenge, reason]] of Object.entries(refused)) {
    t.test(`Fastify ${version}: EX-22, RS-18: ${what} is answered 401 and reported once`, async (t) => {
      const { app, events, handled } = await guarded(t, {}, { version })

      const response = await app.inject(post(headers))

      t.equal(response.statusCode, 401)
      t.match(challengeOf(response), challenge)
      t.match(response.headers, { 'cache-control': 'no-store', 'dpop-nonce': undefined })
      t.strictSame(handled, [])
      t.match(events, [{ type: 'access.denied', reason }])
      t.equal(events.length, 1)
    })
  }
}

for (const recalled of [[], ['bound']]) {
  t.test(`a ${recalled.length === 0 ? 'verified' : 'remembered'} token with a good proof is let in, and once for each proof`, async (t) => {
    const { app, handled, events } = await guarded(t, { verifier: verifierOf(tokens, recalled) })
    const headers = client.headers('bound')

    t.equal((await app.inject(post(headers))).statusCode, 200)
    t.equal((await app.inject(post(headers))).statusCode, 401)
    t.equal((await app.inject(post(client.headers('bound')))).statusCode, 200)
    t.strictSame(handled, [tokens.bound, tokens.bound])
    t.match(events.find(({ type }) => type === 'access.denied'), { reason: 'proof used before' })
  })
}

t.test('of a proof that is sent many times at once, one is let in', async (t) => {
  const { app, handled } = await guarded(t)
  const headers = client.headers('bound')

  await Promise.all(Array.from({ length: 20 }, async () => await app.inject(post(headers))))

  t.equal(handled.length, 1)
})

t.test('where DPoP is not switched on its scheme is none, and bound tokens are refused', async (t) => {
  const app = versions.newest?.(t)
  await app?.register(scopeGuard, guardOptions({ verifier: verifierOf(tokens) }))
  app?.post('/mcp', async () => 'handled')

  for (const headers of [client.headers('bound'), bearer('bound')]) {
    const response = await app?.inject(post(headers))
    t.equal(response?.statusCode, 401)
    t.notMatch(response?.headers['www-authenticate'], /DPoP/)
  }
})

t.test('a plain token stays good where nothing else is asked for', async (t) => {
  const { app } = await guarded(t)

  t.equal((await app.inject(post(bearer('plain')))).statusCode, 200)
})

t.test('elsewhere in the scope a proof is for the origin of the resource and the path of the request', async (t) => {
  const { app } = await guarded(t)
  const get = (htu: string, url = '/notes?page=2') => app.inject({
    url, headers: client.headers('bound', { claims: { htm: 'GET', htu } })
  })

  t.equal((await get('https://mcp.example.com/notes')).statusCode, 200)
  t.equal((await get('https://mcp.example.com/notes?page=9')).statusCode, 200)
  for (const htu of [RESOURCE, 'https://mcp.example.com/', 'http://localhost/notes', 'https://localhost/notes']) {
    t.equal((await get(htu)).statusCode, 401, htu)
  }
})

t.test('a request that names another host in its first line has no proof', async (t) => {
  const { app, events } = await guarded(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { authorization, dpop } = client.headers('bound', { claims: { htm: 'GET', htu: 'https://evil.example/notes' } })

  const status = await rawRequest(app, [
    'GET https://evil.example/notes HTTP/1.1', 'Host: evil.example', `Authorization: ${authorization}`, `DPoP: ${dpop}`
  ])

  t.equal(status, 401)
  t.match(events, [{ reason: 'no address' }])
})

t.test('a path that is no part of an address has no proof', async (t) => {
  const { app, events } = await guarded(t)

  await app.inject({ url: `/${'x'.repeat(3000)}`, headers: client.headers('bound', { claims: { htm: 'GET' } }) })

  t.match(events, [{ reason: 'no address' }])
})

t.test('a nonce is asked for where the option says so, and the next one comes with every answer', async (t) => {
  const clock = stoppedClock(NOW)
  const { app } = await guarded(t, { dpop: { nonce: true }, clock })
  const ask = async (nonce?: string) => await app.inject(post(changed({ claims: { nonce, iat: clock() } })))

  const first = await ask()
  const nonce = String(first.headers['dpop-nonce'])
  t.equal(first.statusCode, 401)
  t.match(challengeOf(first), failed('use_dpop_nonce'))
  t.match(await ask(nonce), { statusCode: 200, headers: { 'dpop-nonce': nonce } })
  t.match(await ask('made up'), { statusCode: 401, headers: { 'dpop-nonce': nonce } })

  clock.advance(120)
  const later = await ask(nonce)
  t.equal(later.statusCode, 200)
  t.not(later.headers['dpop-nonce'], nonce)
  clock.advance(120)
  t.match(challengeOf(await ask(nonce)), failed('use_dpop_nonce'))
  t.equal((await ask(String(later.headers['dpop-nonce']))).statusCode, 200)
})

t.test('EX-23: the nonce also comes with an answer that a handler writes by itself, and not to bearer tokens', async (t) => {
  const clock = stoppedClock(NOW)
  const { app } = await guarded(t, { dpop: { nonce: true }, clock })
  const asked = { htm: 'GET', htu: 'https://mcp.example.com/hijacked' }
  const { headers: { 'dpop-nonce': nonce } } = await app.inject({ url: '/hijacked', headers: changed({ claims: asked }) })

  const answer = await app.inject({ url: '/hijacked', headers: changed({ claims: { ...asked, nonce } }) })

  t.match(answer, { statusCode: 200, body: 'by hand', headers: { 'dpop-nonce': nonce } })
  t.notOk('dpop-nonce' in (await app.inject(post(bearer('plain')))).headers)
})

t.test('instances with the same secrets take each other\'s nonces, others do not', async (t) => {
  const dpop = { nonce: true }
  const one = await guarded(t, { dpop }, { store: memoryStore() })
  const other = await guarded(t, { dpop }, { store: memoryStore() })
  const named = await guarded(t, { dpop, secrets: ['x'.repeat(32)] })
  const alone = await guarded(t, { dpop })
  const { headers: { 'dpop-nonce': nonce } } = await one.app.inject(post(changed({})))

  for (const [{ app }, status] of [[one, 200], [other, 200], [named, 200], [alone, 401]] as const) {
    t.equal((await app.inject(post(changed({ claims: { nonce } })))).statusCode, status)
  }
})

t.test('instances that share their used proofs let each in once', async (t) => {
  const store = memoryStore()
  const dpop = { replay: { shared: true } }
  const headers = client.headers('bound')
  const [one, other] = [await guarded(t, { dpop }, { store }), await guarded(t, { dpop }, { store })]

  t.equal((await one.app.inject(post(headers))).statusCode, 200)
  t.equal((await other.app.inject(post(headers))).statusCode, 401)
})

t.test('without room to remember a proof nobody gets in with one, and nobody is told that it is bad', async (t) => {
  const { app, handled, events } = await guarded(t, { dpop: { replay: { max: 100 } } })
  for (let count = 0; count < 25; count += 1) await app.inject(post(client.headers('bound')))

  const response = await app.inject(post(client.headers('bound')))

  t.match(response, { statusCode: 503, headers: { 'retry-after': /^\d+$/ } })
  t.equal(handled.length, 25)
  t.match(events.at(-1), { type: 'access.denied' })
})

t.test('a token that dies while the store is asked is dead', async (t) => {
  const clock = stoppedClock(NOW)
  const records = memoryStore()
  const slow: RecordStore = {
    ...records,
    async add (record, now) {
      if (record.kind === 'dpop-proof') clock.advance(900)
      return await records.add(record, now)
    }
  }
  const { app, handled } = await guarded(t, { clock, dpop: { replay: { shared: true } } }, { store: slow })

  t.equal((await app.inject(post(client.headers('bound')))).statusCode, 401)
  t.strictSame(handled, [])
})

t.test('a made-up token costs no look at its proof', async (t) => {
  const { app, events } = await guarded(t)

  await app.inject(post({ authorization: 'DPoP unknown', dpop: 'x' }))

  t.match(events, [{ reason: 'unknown token' }])
})

const header = { 'client-cert': `:${CERTIFICATE.toString('base64')}:` }
const proxy = { clientCertificate: { header: 'Client-Cert', proxies: ['127.0.0.1/32'] } }

t.test('RFC 8705: a token of a certificate is good with it, from the header of a configured proxy', async (t) => {
  const { app, events } = await guarded(t, proxy)
  const ask = async (headers: Headers) => (await app.inject(post(headers))).statusCode

  t.equal(await ask({ ...bearer('certified'), ...header }), 200)
  t.equal(await ask({ ...client.headers('both'), ...header }), 200)
  t.equal(await ask(bearer('plain')), 200)
  for (const headers of [
    bearer('certified'),
    { ...bearer('certified'), 'client-cert': `:${Buffer.from('another').toString('base64')}:` },
    { ...bearer('certified'), 'client-cert': 'a certificate in DER' },
    { ...client.headers('certified'), ...header },
    { ...bearer('both'), ...header },
    client.headers('both'),
    { ...thief.headers('both'), ...header }
  ]) t.equal(await ask(headers), 401)
  t.match(events.find(({ reason }) => reason?.startsWith('bound to another')), { reason: 'bound to another certificate' })
})

t.test('AS-G2: the same header from anybody else means nothing, whatever forwarding headers say', async (t) => {
  const { app, handled } = await guarded(t, { clientCertificate: { header: 'client-cert', proxies: ['10.0.0.1'] } })

  for (const more of [{}, { 'x-forwarded-for': '10.0.0.1', forwarded: 'for=10.0.0.1' }]) {
    t.equal((await app.inject(post({ ...bearer('certified'), ...header, ...more }))).statusCode, 401)
  }
  t.strictSame(handled, [])
})

t.test('RFC 8705 §3: on a TLS connection its own certificate counts, also over HTTP/2', async (t) => {
  const [server, mine, another] = [makeCertificate('127.0.0.1'), makeCertificate('mine'), makeCertificate('another')]
  const app = Fastify({
    forceCloseConnections: true,
    http2: true,
    https: { key: server.key, cert: server.cert, requestCert: true, rejectUnauthorized: false, allowHTTP1: true }
  })
  t.teardown(async () => { await app.close() })
  const certified = principalWith(['notes:read'], { confirmation: { 'x5t#S256': mine.thumbprint } })
  const onTls = { clientCertificate: {}, verifier: verifierOf({ certified }) }
  await app.register(scopeGuard, guardOptions({ ...onTls, dpop: {} }))
  app.post('/mcp', async () => 'handled')
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })

  for (const version of [1, 2] as const) {
    const ask = async (own: MadeCertificate | null) =>
      await tlsPost(`${origin}/mcp`, { ...bearer('certified'), ...header }, { ca: server.cert, own, version })
    t.equal(await ask(mine), 415, 'let in, and refused for its body')
    t.equal(await ask(another), 401)
    t.equal(await ask(null), 401)
  }
})

t.test('without a proxy only the connection counts, and one without TLS has no certificate', async (t) => {
  const { app } = await guarded(t, { clientCertificate: {} })

  t.equal((await app.inject(post({ ...bearer('certified'), ...header }))).statusCode, 401)
})

t.test('where every token has to be bound, a plain one is 401 at once, and the answer says what helps', async (t) => {
  const { app, events, handled } = await guarded(t, { requireSenderConstraint: true })

  const response = await app.inject(post(bearer('plain')))

  t.equal(response.statusCode, 401)
  t.equal(challengeOf(response), `DPoP resource_metadata="${METADATA}", scope="notes:read", error="invalid_token", ` +
    `error_description="An access token that is bound to its sender is required", ${algs}`)
  t.match(events, [{ reason: 'not sender-constrained' }])
  t.equal((await app.inject(post(client.headers('bound')))).statusCode, 200)
  t.strictSame(handled, [tokens.bound])
})

t.test('where a certificate would do as well, both schemes are named', async (t) => {
  const { app } = await guarded(t, { requireSenderConstraint: true, ...proxy })

  t.match(challengeOf(await app.inject(post(bearer('plain')))), failed('invalid_token'))
  t.equal((await app.inject(post({ ...bearer('certified'), ...header }))).statusCode, 200)
})

const required: Record<string, Partial<ScopeGuardOptions>> = {
  'a scope': { requireSenderConstraint: { scopes: ['notes:read'] } },
  'a component': { components: COMPONENTS.map((rule) => rule.tool === 'search' ? { ...rule, senderConstrained: true } : rule) }
}
for (const [what, options] of Object.entries(required)) {
  t.test(`where ${what} needs a bound token, it is 401 with a DPoP challenge, and the rest stays open`, async (t) => {
    const { app, handled } = await guarded(t, options)

    const response = await app.inject(post(bearer('plain')))

    t.equal(response.statusCode, 401)
    t.match(challengeOf(response), failed('invalid_token'))
    t.strictSame(handled, [])
    t.equal((await app.inject({ ...post(bearer('plain')), payload: callTool('whoami') })).statusCode, 200)
    t.equal((await app.inject(post(client.headers('bound')))).statusCode, 200)
  })
}

t.test('other algorithms may be listed, and only those are', async (t) => {
  const { app } = await guarded(t, { dpop: { algorithms: ['PS512'] } })

  const response = await app.inject(post(client.headers('bound')))

  t.match(challengeOf(response), /, DPoP error="invalid_dpop_proof", error_description="[^"]+", algs="PS512"$/)
})

t.test('a verifier of the host that answers a bound principal lets nobody in without the proof', async (t) => {
  const bound = principalWith(['admin'], { confirmation: { jkt: randomId(32) } })
  const verifier: TokenVerifier = { recall: () => bound, verify: async () => bound }
  const { app, handled } = await guarded(t, { verifier })

  for (const headers of [bearer('any'), client.headers('any'), { authorization: 'DPoP any' }]) {
    t.equal((await app.inject(post(headers))).statusCode, 401)
  }
  t.strictSame(handled, [])
})

const contradictions: Record<string, [Partial<ScopeGuardOptions>, RegExp]> = {
  'a constraint that nobody can meet': [{ requireSenderConstraint: true }, /^requireSenderConstraint needs dpop or clientCertificate/],
  'the constraint of a scope that nobody can meet':
    [{ requireSenderConstraint: { scopes: ['admin'] } }, /^requireSenderConstraint needs dpop/],
  'a component that nobody can call':
    [{ components: [{ tool: 'a', scopes: [], senderConstrained: true }] }, /^components\.0\.senderConstrained needs dpop/],
  'a header without proxies': [{ clientCertificate: { header: 'a' } }, /^clientCertificate\.proxies is required/],
  'what proxies do without them': [{ clientCertificate: { proxiesVerify: true } }, /^clientCertificate\.proxiesVerify says/],
  'proxies without a header': [{ clientCertificate: { proxies: ['::1'] } }, /^clientCertificate\.header is required/],
  'a proxy that is no address': [{ clientCertificate: { header: 'a', proxies: ['proxy'] } }, /^clientCertificate\.proxies\.0 must be/],
  'a header that is none': [{ clientCertificate: { header: 'a b', proxies: ['::1'] } }, /^clientCertificate\.header /],
  'a bound for shared proofs': [{ dpop: { replay: { shared: true, max: 100 } } }, /^dpop\.replay\.max cannot be given together with shared/],
  'shared proofs without a store': [{ dpop: { replay: { shared: true } } }, /^dpop\.replay\.shared needs pkceStore/],
  'a symmetric algorithm': [{ dpop: JSON.parse('{"algorithms":["HS256"]}') }, /^dpop\.algorithms\.0 /],
  'no algorithm': [{ dpop: { algorithms: [] } }, /^dpop\.algorithms /]
}
for (const [what, [options, message]] of Object.entries(contradictions)) {
  t.test(`${what} stops the boot`, async (t) => {
    const app = versions.newest?.(t)

    await t.rejects(Promise.resolve(app?.register(scopeGuard, guardOptions(options))), { message })
  })
}
