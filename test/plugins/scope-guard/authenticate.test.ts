import { connect } from 'node:net'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { auditHook } from '../../../lib/plugins/audit-hook.js'
import { scopeGuard } from '../../../lib/plugins/scope-guard.js'
import { StoreUnavailableError } from '../../../lib/stores/errors.js'
import { InvalidTokenError, SERVER_DOWN, VerifierUnavailableError } from '../../../lib/tokens/errors.js'
import type { AuditEvent } from '../../../types/audit.js'
import type { ScopeGuardOptions } from '../../../types/options.js'
import type { TokenVerifier } from '../../../types/principal.js'
import { buildApp, type Teardown } from '../../helpers/build-app.js'
import { stoppedClock } from '../../helpers/clock.js'
import { dpopClient } from '../../helpers/dpop.js'
import { bearer, callTool, guardOptions, principalWith, RESOURCE, verifierOf, type Tokens } from '../../helpers/guard.js'

const NOW = 1_700_000_000

const tokens: Tokens = {
  good: principalWith(['notes:read'], { expiresAt: NOW + 900 }),
  endless: principalWith(['notes:read'], { expiresAt: null }),
  dead: principalWith(['notes:read'], { expiresAt: NOW }),
  elsewhere: principalWith(['notes:read'], { resource: 'https://other.example.com/mcp' }),
  revoked: new InvalidTokenError('the grant has ended'),
  'store.down': new StoreUnavailableError('no connection to db.internal'),
  'server.down': new VerifierUnavailableError(SERVER_DOWN, 'no answer from login.internal'),
  broken: new Error('cannot read properties of undefined')
}

interface Guarded {
  readonly app: FastifyInstance
  readonly events: AuditEvent[]
  /** Bodies that reached a handler. */
  readonly handled: unknown[]
}

async function guarded (t: Teardown, more: Partial<ScopeGuardOptions> = {}): Promise<Guarded> {
  const app = buildApp(t)
  const events: AuditEvent[] = []
  const handled: unknown[] = []
  await app.register(auditHook, { log: false, sink: (event) => { events.push(event) } })
  await app.register(scopeGuard, guardOptions({ verifier: verifierOf(tokens), ...more }))
  app.post('/mcp', async (request) => { handled.push(request.mcpAuth); return request.raw.auth })
  app.get('/notes', async (request) => { handled.push(request.mcpAuth); return 'notes' })
  app.get('/open', { config: { mcpSecurity: { public: true } } }, async (request) => {
    handled.push(request.mcpAuth)
    return { auth: request.raw.auth ?? null }
  })
  return { app, events, handled }
}

const post = (headers: Record<string, string | string[]>) =>
  ({ method: 'POST', url: '/mcp', headers, payload: callTool('search') } as const)

const refused: Record<string, [Record<string, string | string[]>, number, string | undefined, string]> = {
  'no token': [{}, 401, undefined, 'no token'],
  'another scheme': [{ authorization: 'Basic Z29vZDo=' }, 401, undefined, 'no token'],
  'an empty header': [{ authorization: '' }, 401, undefined, 'no token'],
  'a scheme without a token': [{ authorization: 'Bearer' }, 401, 'invalid_token', 'not a bearer token'],
  'two words': [{ authorization: 'Bearer good good' }, 401, 'invalid_token', 'not a bearer token'],
  'a comma': [{ authorization: 'Bearer good, Bearer good' }, 401, 'invalid_token', 'not a bearer token'],
  quotes: [{ authorization: 'Bearer "good"' }, 401, 'invalid_token', 'not a bearer token'],
  'a token of 9000 characters': [bearer('x'.repeat(9000)), 401, 'invalid_token', 'token too long'],
  'an unknown token': [bearer('unknown'), 401, 'invalid_token', 'unknown token'],
  'a revoked token': [bearer('revoked'), 401, 'invalid_token', 'the grant has ended'],
  'a token in another case': [bearer('GOOD'), 401, 'invalid_token', 'unknown token'],
  'a token that expires at this second': [bearer('dead'), 401, 'invalid_token', 'expired'],
  'a token for another resource': [bearer('elsewhere'), 401, 'invalid_token', 'wrong audience'],
  'a store that is down': [bearer('store.down'), 503, undefined, 'store unavailable'],
  'a server that is down': [bearer('server.down'), 503, undefined, 'authorization server unavailable'],
  'a verifier that fails': [bearer('broken'), 503, undefined, 'verifier failed']
}

for (const [what, [headers, status, error, reason]] of Object.entries(refused)) {
  t.test(`${what} is answered ${status} ${error ?? 'without an error code'}, and reported once`, async (t) => {
    const { app, events, handled } = await guarded(t)

    const response = await app.inject(post(headers))

    const challenge = response.headers['www-authenticate']
    t.equal(response.statusCode, status)
    if (status === 401) t.match(challenge, /^Bearer resource_metadata="[^"]+", scope="notes:read"/)
    else t.equal(challenge, undefined)
    t.equal(/, error="([^"]+)"/.exec(String(challenge))?.[1], error)
    t.equal(response.headers['cache-control'], 'no-store')
    t.match(response.json(), { jsonrpc: '2.0', id: null, error: { code: -32000, message: String } })
    t.strictSame(handled, [])
    t.match(events, [{ type: 'access.denied', reason, resource: RESOURCE, subject: null, route: '/mcp' }])
    t.equal(events.length, 1)
  })
}

t.test('two Authorization headers are answered 400, whichever comes first', async (t) => {
  const { app, events, handled } = await guarded(t)
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })

  for (const values of [['Bearer good', 'Bearer bad'], ['Bearer good', 'Basic a'], ['', 'Bearer good']]) {
    const { status, challenge } = await sendRaw(origin, values)
    t.equal(status, 400)
    t.match(challenge, /, error="invalid_request", /)
  }
  t.strictSame(handled, [])
  t.match(events, [{ reason: 'more than one Authorization header' }, {}, {}])
})

t.test('the reasons for a bad token cannot be told apart from outside', async (t) => {
  const { app } = await guarded(t)
  const answers = new Set<string>()

  for (const token of ['unknown', 'revoked', 'dead', 'elsewhere']) {
    const { statusCode, body, headers } = await app.inject(post(bearer(token)))
    answers.add(JSON.stringify([statusCode, body, headers['www-authenticate']]))
  }

  t.equal(answers.size, 1)
})

t.test('a token in the query is none, and stays out of the answer', async (t) => {
  const { app, handled } = await guarded(t)

  const response = await app.inject({ ...post({}), url: '/mcp?access_token=good' })

  t.equal(response.statusCode, 401)
  t.notMatch(response.headers['www-authenticate'], 'error=')
  t.strictSame(handled, [])
})

t.test('when a token cannot be checked the client may come back', async (t) => {
  const { app } = await guarded(t)

  const response = await app.inject(post(bearer('store.down')))

  t.match(response.headers, { 'retry-after': /^\d+$/ })
  t.notMatch(response.body, 'db.internal')
})

t.test('what went wrong in a verifier is logged, not told', async (t) => {
  const lines: string[] = []
  const app = buildApp(t, { logger: { level: 'error', stream: { write: (line: string) => { lines.push(line) } } } })
  await app.register(scopeGuard, guardOptions({ verifier: verifierOf(tokens) }))
  app.post('/mcp', async () => 'handled')

  const response = await app.inject(post(bearer('broken')))

  t.match(lines.join(), 'cannot read properties')
  t.notMatch(response.body, 'cannot read')
})

t.test('a verifier that throws before it promises anything is a failing one', async (t) => {
  const verifier = { recall: () => undefined, verify () { throw new Error('at once') } }
  const { app } = await guarded(t, { verifier })

  t.equal((await app.inject(post(bearer('good')))).statusCode, 503)
})

// What makes a proof good is for sender.test.ts.
const client = await dpopClient({ htu: RESOURCE, now: () => NOW })
const bound = principalWith(['notes:read'], { confirmation: { jkt: client.thumbprint } })

for (const recalled of [[], ['bound']]) {
  t.test(`a ${recalled.length === 0 ? 'verified' : 'remembered'} token that is bound to a key needs a proof each time`, async (t) => {
    const { app, events, handled } = await guarded(t, { dpop: {}, verifier: verifierOf({ bound }, recalled) })

    t.equal((await app.inject(post(client.headers('bound')))).statusCode, 200)
    for (const headers of [bearer('bound'), { authorization: 'DPoP bound' }, client.headers('bound', { claims: { ath: 'x' } })]) {
      t.equal((await app.inject(post(headers))).statusCode, 401)
    }
    t.strictSame(handled, [bound])
    t.strictSame(events.flatMap(({ type, reason }) => type === 'access.denied' ? [reason] : []),
      ['bound to a key', 'no DPoP header', 'ath is not of the access token'])
  })
}

t.test('where no proof can be checked the scheme DPoP is none', async (t) => {
  const { app, events } = await guarded(t, { verifier: verifierOf({ bound }) })

  const response = await app.inject(post(client.headers('bound')))

  t.equal(response.statusCode, 401)
  t.notMatch(response.headers['www-authenticate'], 'error=')
  t.match(events, [{ reason: 'no token' }])
})

t.test('what is wrong with a token under DPoP is told in the challenge of that scheme', async (t) => {
  const { app } = await guarded(t, { dpop: {} })

  for (const token of ['unknown', 'dead', '"quoted"']) {
    const response = await app.inject(post({ authorization: `DPoP ${token}` }))
    t.match(response.headers['www-authenticate'], /^Bearer [^=]+="[^"]+", scope="[^"]+", DPoP error="invalid_token", /)
  }
})

t.test('the next nonce comes with the answer to every token under DPoP, and with no other', async (t) => {
  const { app } = await guarded(t, { dpop: { nonce: true } })

  t.type((await app.inject(post({ authorization: 'DPoP unknown' }))).headers['dpop-nonce'], 'string')
  t.notOk('dpop-nonce' in (await app.inject(post(bearer('unknown')))).headers)
})

t.test('where every token has to be bound, one that is not is answered with what helps', async (t) => {
  const { app, handled } = await guarded(t, { dpop: {}, requireSenderConstraint: true })

  t.match(await app.inject(post(bearer('good'))), { statusCode: 401, headers: { 'www-authenticate': /^DPoP / } })
  t.strictSame(handled, [])
})

t.test('elsewhere in the scope a refusal is an OAuth error', async (t) => {
  const { app } = await guarded(t)

  const response = await app.inject('/notes')

  t.equal(response.statusCode, 401)
  t.match(response.headers['www-authenticate'], /^Bearer resource_metadata=/)
  t.same(response.json(), { error: 'invalid_token', error_description: 'An access token is required' })
})

t.test('a path that does not exist is 401 without a token and 404 with one, where the scope is the app', async (t) => {
  const { app } = await guarded(t)

  t.equal((await app.inject('/nowhere')).statusCode, 401)
  t.equal((await app.inject({ url: '/nowhere', headers: bearer('good') })).statusCode, 404)
})

t.test('a public route is open, and knows nobody, whatever is shown', async (t) => {
  const { app, handled } = await guarded(t)

  for (const headers of [{}, bearer('good'), bearer('revoked'), bearer('broken')]) {
    t.same((await app.inject({ url: '/open', headers })).json(), { auth: null })
  }
  t.strictSame(handled, [null, null, null, null])
})

for (const recalled of [[], ['good']]) {
  t.test(`a ${recalled.length === 0 ? 'verified' : 'remembered'} token is known to every kind of handler`, async (t) => {
    const { app, handled } = await guarded(t, { verifier: verifierOf(tokens, recalled) })

    const response = await app.inject(post({ authorization: 'bearer good' }))

    t.strictSame(handled, [tokens.good])
    t.same(response.json(), {
      token: 'good',
      clientId: 'client-1',
      scopes: ['notes:read'],
      expiresAt: NOW + 900,
      resource: RESOURCE,
      extra: { principal: tokens.good }
    })
  })
}

t.test('a credential without an end has no expiresAt', async (t) => {
  const { app } = await guarded(t)

  const response = await app.inject(post(bearer('endless')))

  t.equal(response.statusCode, 200)
  t.notOk(Object.hasOwn(response.json(), 'expiresAt'))
})

t.test('a token that is still remembered is dead when its second comes', async (t) => {
  const clock = stoppedClock(NOW)
  const { app } = await guarded(t, { clock, verifier: verifierOf(tokens, ['good']) })
  t.equal((await app.inject(post(bearer('good')))).statusCode, 200)

  clock.advance(900)

  t.equal((await app.inject(post(bearer('good')))).statusCode, 401)
})

t.test('a token that dies while it is verified is dead', async (t) => {
  const clock = stoppedClock(NOW)
  const { verify, ...others } = verifierOf(tokens)
  const slow: TokenVerifier = {
    ...others,
    async verify (token, now) {
      clock.advance(900)
      return await verify(token, now)
    }
  }
  const { app, handled } = await guarded(t, { clock, verifier: slow })

  t.equal((await app.inject(post(bearer('good')))).statusCode, 401)
  t.strictSame(handled, [])
})

t.test('what a handler does to the SDK\'s scopes does not reach the next request', async (t) => {
  const app = buildApp(t)
  await app.register(scopeGuard, guardOptions({ verifier: verifierOf(tokens, ['good']) }))
  app.post('/mcp', async (request) => {
    request.raw.auth?.scopes.push('admin')
    return request.raw.auth?.scopes
  })

  for (let count = 0; count < 2; count += 1) {
    t.same((await app.inject(post(bearer('good')))).json(), ['notes:read', 'admin'])
  }
})

/** Sends each header line by itself, which `fetch` and `inject` would join or drop. */
async function sendRaw (origin: string, authorizations: readonly string[]) {
  const socket = connect(Number(new URL(origin).port), '127.0.0.1')
  const lines = authorizations.map((value) => `Authorization: ${value}\r\n`).join('')
  socket.end(`POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n${lines}Connection: close\r\n\r\n`)
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  return {
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]),
    challenge: /^www-authenticate: (.*)\r$/im.exec(answer)?.[1]
  }
}

t.test('a request without a token is let in as nobody where authentication is off', async (t) => {
  const { app, handled } = await guarded(t, { authentication: { enabled: false, anonymous: { scopes: ['notes:read'] } } })

  const { statusCode } = await app.inject({ method: 'POST', url: '/mcp', payload: callTool('search') })

  t.equal(statusCode, 200)
  t.equal(handled.length, 1)
})

t.test('a verifier that fails to recall is 503, whatever it throws', async (t) => {
  for (const thrown of [new Error('no'), 'no', undefined]) {
    const verifier: TokenVerifier = { ...verifierOf(tokens), recall () { throw thrown } }
    const { app, handled } = await guarded(t, { verifier })

    const { statusCode } = await app.inject({
      method: 'POST', url: '/mcp', headers: bearer('good'), payload: callTool('search')
    })

    t.equal(statusCode, 503)
    t.strictSame(handled, [])
  }
})
