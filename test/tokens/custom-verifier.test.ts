import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { auditHook } from '../../lib/plugins/audit-hook.js'
import { scopeGuard } from '../../lib/plugins/scope-guard.js'
import { StoreUnavailableError } from '../../lib/stores/errors.js'
import { customVerifier } from '../../lib/tokens/custom-verifier.js'
import { InvalidTokenError } from '../../lib/tokens/errors.js'
import type { AuditEvent } from '../../types/audit.js'
import type { CustomVerifierOptions, VerifiedToken } from '../../types/custom-verifier.js'
import { buildApp, type Teardown } from '../helpers/build-app.js'
import { bearer, callTool, guardOptions, RESOURCE } from '../helpers/guard.js'

const NOW = 1_700_000_000
const good: VerifiedToken = {
  subject: 'alice', clientId: 'client-1', audience: RESOURCE, scopes: ['notes:read'], expiresAt: NOW + 900, grantId: 'g'
}
const options = { issuer: 'https://accounts.example', resource: RESOURCE, verify: () => good }

/** A verifier that counts what the host is asked. */
function counting (verify: (token: string) => unknown, more: Partial<CustomVerifierOptions> = {}) {
  const asked: string[] = []
  const verifier = customVerifier({
    ...options,
    verify: async (token) => {
      asked.push(token)
      return await verify(token) as VerifiedToken | null
    },
    ...more
  })
  return { verifier, asked }
}

const calling = async (app: FastifyInstance, token = 'token') =>
  await app.inject({ method: 'POST', url: '/mcp', headers: bearer(token), payload: callTool('search') })

async function guarded (t: Teardown, verify: (token: string) => unknown, more: Partial<CustomVerifierOptions> = {}) {
  const app = buildApp(t)
  const events: AuditEvent[] = []
  const seen: unknown[] = []
  await app.register(auditHook, { log: false, sink: (event) => { events.push(event) } })
  await app.register(scopeGuard, guardOptions({ verifier: counting(verify, more).verifier }))
  app.post('/mcp', async ({ mcpAuth }) => {
    seen.push(mcpAuth?.subject)
    return {}
  })
  return { app, events, seen }
}

const outcomes: Record<string, [(token: string) => unknown, number, string]> = {
  null: [() => null, 401, 'refused by the host'],
  'a token for another resource': [() => ({ ...good, audience: 'https://other.example' }), 401, 'wrong audience'],
  'a dead token': [() => ({ ...good, expiresAt: NOW }), 401, 'expired'],
  'a reason of its own': [() => { throw new InvalidTokenError('blocked') }, 401, 'blocked'],
  nothing: [() => undefined, 503, 'verifier failed'],
  true: [() => true, 503, 'verifier failed'],
  'a subject alone': [() => ({ subject: 'alice' }), 503, 'verifier failed'],
  'a mistake': [() => { throw new TypeError('cannot read properties of undefined') }, 503, 'verifier failed'],
  'an outage': [() => { throw new StoreUnavailableError('no database') }, 503, 'store unavailable']
}

for (const [what, [verify, status, reason]] of Object.entries(outcomes)) {
  t.test(`when the host answers ${what}, the request is answered ${status}, and no handler runs`, async (t) => {
    const { app, events, seen } = await guarded(t, verify)

    const answer = await calling(app)

    t.equal(answer.statusCode, status)
    t.equal(answer.headers['retry-after'] !== undefined, status === 503)
    t.match(events, [{ type: 'access.denied', reason }])
    t.strictSame(seen, [])
  })
}

t.test('what the host finds good passes, with what it was granted and no more', async (t) => {
  const { app, seen } = await guarded(t, () => good)

  t.equal((await calling(app)).statusCode, 200)
  t.strictSame(seen, ['alice'])
  const denied = await app.inject({ method: 'POST', url: '/mcp', headers: bearer('token'), payload: callTool('delete') })
  t.equal(denied.statusCode, 403)
})

t.test('a host that does not answer in time is 503, and is told to stop', async (t) => {
  let stopped = false
  const { app, events, seen } = await guarded(t, () => null, {
    timeoutMs: 100,
    verify: async (_token, { signal }) => await new Promise<null>(() => {
      signal.addEventListener('abort', () => { stopped = true })
    })
  })

  t.equal((await calling(app)).statusCode, 503)
  t.match(events, [{ reason: 'verifier too slow' }])
  t.equal(stopped, true)
  t.strictSame(seen, [])
})

t.test('without recheck the host is asked for every request', async (t) => {
  const { verifier, asked } = counting(() => good)
  for (let times = 0; times < 2; times += 1) {
    t.match(await verifier.verify('token', NOW), { subject: 'alice', credential: 'custom-token', issuer: options.issuer })
    t.equal(verifier.recall('token', NOW), undefined)
  }

  t.equal(asked.length, 2)
})

t.test('a good answer is remembered for recheck seconds, never past its end; a bad one is not', async (t) => {
  const { verifier, asked } = counting((token) => token === 'token' ? good : null, { recheck: 60 })
  const principal = await verifier.verify('token', NOW)
  for (let times = 0; times < 2; times += 1) await t.rejects(verifier.verify('bad', NOW), InvalidTokenError)

  t.equal(verifier.recall('token', NOW + 59), principal)
  t.equal(verifier.recall('token', NOW + 60), undefined)
  await verifier.verify('token', NOW + 890)
  t.ok(verifier.recall('token', NOW + 899))
  t.equal(verifier.recall('token', NOW + 900), undefined)
  t.strictSame(asked, ['token', 'bad', 'bad', 'token'])
})

t.test('what is forgotten is asked about again, at once', async (t) => {
  let live = true
  const { verifier } = counting(() => live ? good : null, { recheck: 60 })
  await verifier.verify('token', NOW)
  live = false
  verifier.forget('g')

  t.equal(verifier.recall('token', NOW), undefined)
  await t.rejects(verifier.verify('token', NOW), new InvalidTokenError('refused by the host'))
})

t.test('what is forgotten while the host is asked is asked about again, and nothing stays behind', async (t) => {
  const answers = [good, null]
  const { verifier } = counting(() => {
    const answer = answers.shift() ?? null
    if (answer !== null) verifier.forget('g')
    return answer
  }, { recheck: 60 })

  await t.rejects(verifier.verify('token', NOW), new InvalidTokenError('refused by the host'))
  t.equal(verifier.recall('token', NOW), undefined)
})

t.test('while other grants are forgotten all the time a token is good, but not remembered', async (t) => {
  const { verifier, asked } = counting(() => {
    verifier.forget('another grant')
    return good
  }, { recheck: 60 })

  t.equal((await verifier.verify('token', NOW)).subject, 'alice')
  t.equal(verifier.recall('token', NOW), undefined)
  t.equal(asked.length, 2)
})

t.test('a token that fifty requests bring at once is asked about once, and others not more than maxConcurrent', async (t) => {
  const { verifier, asked } = counting(() => good, { maxConcurrent: 2 })
  const fifty = await Promise.all(Array.from({ length: 50 }, async () => await verifier.verify('token', NOW)))
  t.equal(new Set(fifty).size, 1)
  t.equal(asked.length, 1)

  const outcomes = await Promise.allSettled(['a', 'b', 'c'].map(async (token) => await verifier.verify(token, NOW)))
  t.match(outcomes, [{ status: 'fulfilled' }, { status: 'fulfilled' }, { reason: { reason: 'too many verifications' } }])
})

for (const [what, wrong, message] of [
  ['no function', { verify: 'verify' }, /^customVerifier\.verify must/],
  ['no issuer', { issuer: undefined }, /^customVerifier\.issuer is required/],
  ['an issuer over http', { issuer: 'http://accounts.example' }, /^customVerifier\.issuer must be https/],
  ['a resource with a slash at its end', { resource: `${RESOURCE}/` }, /^customVerifier\.resource must not end/],
  ['an answer that holds for an hour', { recheck: 3600 }, /^customVerifier\.recheck must/],
  ['an unknown option', { audience: RESOURCE }, /^customVerifier\.audience is not an option/]
] as const) {
  t.test(`${what} stops the boot`, async (t) => {
    t.throws(() => customVerifier(Object.assign({ ...options }, wrong)), { code: 'MCPS_ERR_INVALID_OPTION', message })
  })
}
