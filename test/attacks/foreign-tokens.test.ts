import { createHmac } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { createSigningKey } from '../../lib/crypto/signing-key.js'
import { auditHook } from '../../lib/plugins/audit-hook.js'
import { resourceMetadata } from '../../lib/plugins/resource-metadata.js'
import { scopeGuard } from '../../lib/plugins/scope-guard.js'
import { introspectionVerifier } from '../../lib/tokens/introspection-verifier.js'
import { jwksVerifier } from '../../lib/tokens/jwks-verifier.js'
import type { AuditEvent } from '../../types/audit.js'
import type { JwksVerifierOptions } from '../../types/foreign-tokens.js'
import type { TokenVerifier } from '../../types/principal.js'
import { buildApp, type Teardown } from '../helpers/build-app.js'
import { stoppedClock } from '../helpers/clock.js'
import {
  AUDIENCE, cognito, entra, foreignServer, keycloak, RESOURCE, standard, START,
  type ForeignServer, type Members, type Shape
} from '../helpers/foreign-server.js'

/** The kinds of servers, each with what its tokens need. */
const kinds: Readonly<Record<string, readonly [Shape, Partial<JwksVerifierOptions>]>> = {
  'RFC 9068': [standard, {}],
  Keycloak: [keycloak, { types: ['JWT'], claims: { clientId: 'azp', roles: ['realm_access', 'roles'] } }],
  Entra: [entra, { types: ['JWT'], audience: AUDIENCE, claims: { clientId: 'azp', scopes: 'scp' } }],
  Cognito: [cognito, { untyped: true }]
}

async function guarded (t: Teardown, issuer: string, verifier: TokenVerifier) {
  const app = buildApp(t)
  const clock = stoppedClock(START)
  const events: AuditEvent[] = []
  const seen: unknown[] = []
  await app.register(async (mcp) => {
    await mcp.register(auditHook, { log: false, sink: (event) => { events.push(event) } })
    await mcp.register(scopeGuard, {
      issuer,
      resource: RESOURCE,
      scopes: {
        'notes:read': 'Read your notes',
        'notes:write': 'Change your notes',
        // As Cognito writes it: the resource server, then the scope.
        'notes/notes:read': { title: 'Read your notes', implies: ['notes:read'] }
      },
      components: [{ tool: 'search', scopes: ['notes:read'] }, { tool: 'delete', scopes: ['notes:write'] }],
      verifier,
      clock
    })
    await mcp.register(resourceMetadata, { resource: RESOURCE, authorizationServers: [issuer] })
    mcp.post('/mcp', async ({ mcpAuth }) => {
      seen.push(mcpAuth?.subject)
      return { jsonrpc: '2.0', id: 1, result: {} }
    })
  })
  return { app, clock, events, seen }
}

async function start (t: Teardown, kind: string, more: Partial<JwksVerifierOptions> = {}) {
  const [shape, options] = kinds[kind] ?? [standard, {}]
  const server = await foreignServer(t, shape)
  const { issuer, jwksUri } = server
  const verifier = jwksVerifier({ issuer, jwksUri, resource: RESOURCE, ...options, ...more })
  return { server, ...await guarded(t, issuer, verifier) }
}

const call = async (app: FastifyInstance, token: string, tool = 'search') => await app.inject({
  method: 'POST',
  url: '/mcp',
  headers: { authorization: `Bearer ${token}` },
  payload: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: {} } }
})

/** Rewrites the header of a good token and leaves its signature. */
function rewrap (token: string, members: Members): string {
  const [header = '', ...rest] = token.split('.')
  const read: Members = JSON.parse(Buffer.from(header, 'base64url').toString())
  return [Buffer.from(JSON.stringify({ ...read, ...members })).toString('base64url'), ...rest].join('.')
}

function macked (token: string, secret: string): string {
  const [header, payload] = rewrap(token, { alg: 'HS256' }).split('.')
  return `${header}.${payload}.${createHmac('sha256', secret).update(`${header}.${payload}`).digest('base64url')}`
}

const other = { rsa: await createSigningKey('RS256'), ec: await createSigningKey('ES256') }

/** Mistake 22, and RS-14, RS-15, RS-17, RS-18: none of these may pass, whoever the server is. */
function forgeries (server: ForeignServer, evil: ForeignServer): Record<string, string> {
  const good = server.token()
  const key = server.key()
  const thief = { ...(key.algorithm === 'ES256' ? other.ec : other.rsa), kid: key.kid }
  const jwk = thief.publicKey.export({ format: 'jwk' })
  return {
    'alg none': `${rewrap(good, { alg: 'none' }).split('.').slice(0, 2).join('.')}.`,
    'alg none with a signature': rewrap(good, { alg: 'none' }),
    'HS256 with the public key': macked(good, String(key.publicKey.export({ format: 'pem', type: 'spki' }))),
    'HS256 with an empty secret': macked(good, ''),
    'another algorithm': rewrap(good, { alg: key.algorithm === 'ES256' ? 'RS256' : 'ES256' }),
    'a key of its own under our kid': server.token({}, {}, thief),
    'an embedded jwk': server.token({}, { jwk }, thief),
    'an embedded jwk without a kid': server.token({}, { jwk, kid: undefined }, thief),
    'a jku': server.token({}, { jku: evil.jwksUri }, thief),
    'an x5u': server.token({}, { x5u: evil.jwksUri }, thief),
    'a kid that is a path': server.token({}, { kid: '../../../dev/null' }),
    'a kid that is a URL': server.token({}, { kid: evil.jwksUri }),
    'a kid that is a list': server.token({}, { kid: [key.kid] }),
    'an unknown crit': server.token({}, { crit: ['http://evil.example/ext'], 'http://evil.example/ext': true }),
    'an unencoded payload': server.token({}, { crit: ['b64'], b64: false }),
    'no typ': server.token({ token_use: undefined }, { typ: undefined }),
    'an ID token without typ': server.token({ token_use: 'id' }, { typ: undefined }),
    'a DPoP proof': server.token({ htm: 'POST', htu: RESOURCE }, { typ: 'dpop+jwt' }),
    'a client assertion': server.token({ iss: 'client-1' }, { typ: 'client-authentication+jwt' }),
    'an ID token': server.token({ aud: 'client-1', typ: 'ID', nonce: 'n' }, { typ: 'JWT' }),
    'an ID token for us': server.token({ typ: undefined, at_hash: 'h' }, { typ: 'JWT' }),
    'a refresh token': server.token({ typ: 'Refresh' }, { typ: 'JWT' }),
    'no exp': server.token({ exp: undefined }),
    'exp as text': server.token({ exp: String(START + 900) }),
    'exp in the past': server.token({ exp: START }),
    'nbf in the future': server.token({ nbf: START + 800 }),
    'iat in the future': server.token({ iat: START + 800 }),
    'no iss': server.token({ iss: undefined }),
    'another iss': server.token({ iss: evil.issuer }),
    'iss with a slash': server.token({ iss: `${server.issuer}/` }),
    'no aud': server.token({ aud: undefined }),
    'another aud': server.token({ aud: 'https://other.example/mcp' }),
    'an aud below ours': server.token({ aud: `${RESOURCE}/x` }),
    'no sub': server.token({ sub: undefined }),
    'no client': server.token({ client_id: undefined, azp: undefined }),
    'bound to a key': server.token({ cnf: { jkt: 'x'.repeat(43) } }),
    'bound to a certificate': server.token({ cnf: { 'x5t#S256': 'x'.repeat(43) } }),
    'a changed payload': good.replace(/\.[^.]+\./, `.${Buffer.from('{"sub":"mallory"}').toString('base64url')}.`),
    'a cut signature': good.slice(0, -20),
    'of another server': evil.token()
  }
}

for (const kind of Object.keys(kinds)) {
  t.test(`${kind}: of all confused and forged tokens none passes, and all get the same answer (mistakes 1 and 22)`, async (t) => {
    const { server, app, clock, seen, events } = await start(t, kind)
    const evil = await foreignServer(t)
    t.equal((await call(app, server.token())).statusCode, 200)
    const bodies = new Set<string>()
    for (const [name, token] of Object.entries(forgeries(server, evil))) {
      // Else nothing could be known of one unknown key after the other, which is 503.
      clock.advance(10)
      const answer = await call(app, token)

      t.equal(answer.statusCode, 401, name)
      bodies.add(`${answer.body} ${String(answer.headers['www-authenticate'])}`)
    }
    t.equal(bodies.size, 1)
    t.match([...bodies].join(), /error="invalid_token"/)
    t.equal(seen.length, 1)
    t.strictSame(evil.requests, [])
    t.ok(events.filter(({ type }) => type === 'access.denied').every(({ reason }) => reason !== null))
  })

  t.test(`${kind}: keys are rotated while requests run, and nobody is refused`, async (t) => {
    const { server, app, clock } = await start(t, kind)
    const statuses: number[] = []
    for (let round = 0; round < 5; round += 1) {
      const old = server.token({ round })
      const ten = () => Array.from({ length: 10 }, async (_, index) => await call(app, server.token({ round, index })))
      const before = ten()
      await server.rotate()
      const answers = await Promise.all([...before, call(app, old), ...ten()])
      statuses.push(...answers.map(({ statusCode }) => statusCode))
      clock.advance(10)
    }

    t.equal(statuses.length, 105)
    t.strictSame(statuses.filter((status) => status !== 200), [])
    t.ok(server.requests.length <= 12, `${server.requests.length} fetches`)
  })

  t.test(`${kind}: an outage is 503 with Retry-After where nothing is known, never open and never 401`, async (t) => {
    const { server, app, clock, seen, events } = await start(t, kind, { keysMaxAge: 60, keysMaxStale: 60, recheck: 0 })
    server.answerWith((request) => { request.socket.destroy() })
    for (const token of [server.token(), server.token({}, { kid: 'made up' })]) {
      t.match(await call(app, token), { statusCode: 503, headers: { 'retry-after': /^\d+$/, 'cache-control': 'no-store' } })
    }
    t.strictSame(events.map(({ type, reason }) => [type, reason]), [1, 2].map(() => ['access.denied', 'authorization server unavailable']))
    server.answerWith(null)
    clock.advance(10)
    t.equal((await call(app, server.token())).statusCode, 200)
    server.answerWith((_request, response) => { response.writeHead(503).end() })
    clock.advance(119)
    t.equal((await call(app, server.token())).statusCode, 200)
    clock.advance(1)
    t.equal((await call(app, server.token())).statusCode, 503)
    t.equal(seen.length, 2)
  })
}

t.test('a flood of made-up keys costs the server one fetch in a cooldown, and the next good token passes', async (t) => {
  const { server, app, clock } = await start(t, 'Keycloak')
  for (let second = 0; second < 30; second += 1) {
    const answers = await Promise.all(Array.from({ length: 10 }, async (_, index) =>
      await call(app, server.token({}, { kid: `made up ${second} ${index}` }))))
    t.ok(answers.every(({ statusCode }) => statusCode === 401 || statusCode === 503))
    clock.advance(1)
  }

  t.ok(server.requests.length <= 4, `${server.requests.length} fetches`)
  t.equal((await call(app, server.token())).statusCode, 200)
})

t.test('scopes of a foreign token open what they name and no more', async (t) => {
  for (const kind of ['RFC 9068', 'Keycloak']) {
    const { server, app } = await start(t, kind)

    t.equal((await call(app, server.token())).statusCode, 200)
    t.match(await call(app, server.token(), 'delete'), {
      statusCode: 403, headers: { 'www-authenticate': /scope="notes:write[^"]*", error="insufficient_scope"/ }
    })
    t.equal((await call(app, server.token({ scope: undefined }))).statusCode, 403)
    t.equal((await call(app, server.token({ scope: 'notes:rea notes:read.x NOTES:READ' }))).statusCode, 403)
  }
})

t.test('a client finds from the refusal to the server that issues tokens', async (t) => {
  const { server, app } = await start(t, 'Keycloak')
  const refused = await app.inject({ method: 'POST', url: '/mcp', payload: {} })
  const [, url = ''] = /resource_metadata="([^"]+)"/.exec(String(refused.headers['www-authenticate'])) ?? []

  t.strictSame((await app.inject(new URL(url).pathname)).json(), {
    resource: RESOURCE, authorization_servers: [server.issuer], bearer_methods_supported: ['header']
  })
})

t.test('introspected tokens: active and for us is 200, anything else 401, no proper answer 503', async (t) => {
  const server = await foreignServer(t)
  const { issuer, introspectionEndpoint } = server
  const client = { clientId: 'mcp-server', clientSecret: 'sentinel-secret' }
  const { app, clock, events } = await guarded(t, issuer, introspectionVerifier({
    ...client, issuer, introspectionEndpoint, resource: RESOURCE, recheck: 5
  }))
  const good = { active: true, aud: RESOURCE, client_id: 'client-1', sub: 'alice', scope: 'notes:read', exp: START + 900 }
  let answer: unknown = good
  server.introspect(() => answer)

  t.equal((await call(app, 'sentinel-token')).statusCode, 200)
  answer = { active: false }
  t.equal((await call(app, 'sentinel-token')).statusCode, 200)
  clock.advance(5)
  t.equal((await call(app, 'sentinel-token')).statusCode, 401)
  for (const changes of [{ aud: 'https://other.example' }, { aud: undefined }, { exp: START }, { iss: 'https://evil.example' }, { cnf: {} }]) {
    answer = { ...good, ...changes }
    t.equal((await call(app, 'sentinel-token')).statusCode, 401, JSON.stringify(changes))
  }
  for (const wrong of [{ ...good, active: 'true' }, [good], null]) {
    answer = wrong
    t.match(await call(app, 'sentinel-token'), { statusCode: 503, headers: { 'retry-after': /^\d+$/ } })
  }
  t.notMatch(JSON.stringify(events), /sentinel/)
})
