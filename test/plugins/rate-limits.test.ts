import { mkdtemp, rm } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { AuditEvent } from '../../types/audit.js'
import type { RateLimitsSetup } from '../../types/options.js'
import { auditHook } from '../../lib/plugins/audit-hook.js'
import { rateLimits } from '../../lib/plugins/rate-limits.js'
import { buildApp, type Teardown } from '../helpers/build-app.js'
import { stoppedClock } from '../helpers/clock.js'
import { versions } from '../helpers/fastify-versions.js'
import { slowHost } from '../helpers/slow-host.js'

const tight = {
  general: { max: 3, window: 60 },
  sensitive: { max: 2, window: 60 },
  registration: { max: 1, window: 3600 }
}
const mcpSecurity = { public: true }

async function limited (t: Teardown, options: RateLimitsSetup = tight, app = buildApp(t)) {
  const clock = stoppedClock()
  const events: AuditEvent[] = []
  await app.register(auditHook, { log: false, sink: (event) => { events.push(event) } })
  await app.register(rateLimits, { clock, ...options })
  const host = slowHost(app)
  app.post('/mcp', host.handler)
  app.get('/metadata', { config: { mcpSecurity } }, host.handler)
  app.post('/token', { config: { mcpSecurity, mcpLimit: 'sensitive' } }, host.handler)
  app.post('/register', { config: { mcpSecurity, mcpLimit: 'registration' } }, host.handler)
  app.post('/consent', { config: { mcpSecurity, mcpLimit: 'sensitive', mcpPage: true } }, host.handler)
  return { app, clock, events, host }
}

const RPC = { jsonrpc: '2.0', error: { code: -32000, message: 'Too many requests: try again in 60 seconds' }, id: null }
const OAUTH = (seconds: number) =>
  ({ error: 'too_many_requests', error_description: `Too many requests: try again in ${seconds} seconds` })

const ANSWERS = {
  'the MCP endpoint': { method: 'POST', url: '/mcp', allowed: 3, body: RPC, wait: '60', reason: 'general' },
  'a metadata document': { method: 'GET', url: '/metadata', allowed: 3, body: OAUTH(60), wait: '60', reason: 'general' },
  'the token endpoint': { method: 'POST', url: '/token', allowed: 2, body: OAUTH(60), wait: '60', reason: 'sensitive' },
  registration: { method: 'POST', url: '/register', allowed: 1, body: OAUTH(3600), wait: '3600', reason: 'registration' }
} as const

for (const [version, build] of Object.entries(versions)) {
  for (const [name, { method, url, allowed, body, wait, reason }] of Object.entries(ANSWERS)) {
    t.test(`${name} answers 429 in its own words after ${allowed}, and handles no more, on ${version}`, async (t) => {
      const { app, events, host } = await limited(t, tight, build(t))
      for (let count = 0; count < allowed; count += 1) await app.inject({ method, url })

      const response = await app.inject({ method, url })

      t.equal(response.statusCode, 429)
      t.same(response.json(), body)
      t.match(response.headers, { 'retry-after': wait, 'cache-control': 'no-store', 'content-type': /^application\/json/ })
      t.equal(host.handled, allowed)
      t.match(events.at(-1), { type: 'rate-limit.exceeded', outcome: 'denied', reason, address: '127.0.0.1' })
    })
  }
}

t.test('a person gets a page', async (t) => {
  const { app } = await limited(t)
  await app.inject({ method: 'POST', url: '/consent' })
  await app.inject({ method: 'POST', url: '/token' })

  const response = await app.inject({ method: 'POST', url: '/consent' })

  t.equal(response.statusCode, 429)
  t.equal(response.headers['retry-after'], '60')
  t.match(response.headers['content-type'], /^text\/html/)
})

t.test('a tier is counted over all of its routes, and everything in the general one', async (t) => {
  const { app } = await limited(t, { ...tight, sensitive: { max: 100, window: 60 } })
  await app.inject({ method: 'POST', url: '/token' })
  await app.inject({ method: 'POST', url: '/mcp' })
  await app.inject({ url: '/metadata' })

  t.equal((await app.inject({ method: 'POST', url: '/consent' })).statusCode, 429)
})

t.test('after the window requests go on', async (t) => {
  const { app, clock } = await limited(t)
  for (let count = 0; count < 4; count += 1) await app.inject({ method: 'POST', url: '/mcp' })

  clock.advance(59)
  const early = await app.inject({ method: 'POST', url: '/mcp' })
  clock.advance(1)
  const late = await app.inject({ method: 'POST', url: '/mcp' })

  t.match(early, { statusCode: 429, headers: { 'retry-after': '1' } })
  t.equal(late.statusCode, 200)
})

const ADDRESSES: Record<string, [string, string, number]> = {
  'another IPv4 address is counted apart': ['192.0.2.1', '192.0.2.2', 200],
  'an IPv4 address mapped into IPv6 is the same': ['192.0.2.1', '::ffff:192.0.2.1', 429],
  'an address of the same /64 is the same': ['2001:db8::1', '2001:db8::ffff', 429],
  'an address of another /64 is counted apart': ['2001:db8::1', '2001:db8:0:1::1', 200]
}

for (const [name, [first, second, status]] of Object.entries(ADDRESSES)) {
  t.test(name, async (t) => {
    const { app } = await limited(t)
    await app.inject({ method: 'POST', url: '/register', remoteAddress: first })

    t.equal((await app.inject({ method: 'POST', url: '/register', remoteAddress: second })).statusCode, status)
  })
}

t.test('a made-up X-Forwarded-For does not help, unless the host trusts its proxy', async (t) => {
  const { app } = await limited(t)
  const { app: behindProxy } = await limited(t, tight, buildApp(t, { trustProxy: true }))
  const register = async (to: typeof app, forwarded: string) =>
    (await to.inject({ method: 'POST', url: '/register', headers: { 'x-forwarded-for': forwarded } })).statusCode

  t.same([await register(app, '192.0.2.1'), await register(app, '192.0.2.2')], [200, 429])
  t.same([await register(behindProxy, '192.0.2.1'), await register(behindProxy, '192.0.2.2')], [200, 200])
})

t.test('clients of a Unix socket, which have no address, count as one', async (t) => {
  const { app } = await limited(t)
  const directory = await mkdtemp(join(tmpdir(), 'rate-limits-'))
  t.teardown(async () => { await rm(directory, { recursive: true }) })
  const socketPath = join(directory, 'socket')
  await app.listen({ path: socketPath })
  const register = async () => {
    const request = httpRequest({ socketPath, path: '/register', method: 'POST' }).end()
    const [response] = await once(request, 'response')
    response.resume()
    return response.statusCode
  }

  t.same([await register(), await register()], [200, 429])
})

t.test('other parts can count a request of their own', async (t) => {
  const { app } = await limited(t)

  t.equal(app.mcpLimits.registration('192.0.2.1'), 0)
  t.equal(app.mcpLimits.registration('192.0.2.1'), 3600)
  t.equal(app.mcpLimits.sensitive('192.0.2.1'), 0)
})

t.test('without options thousands of requests a minute go on, as many people may share an address', async (t) => {
  const { app } = await limited(t, {})
  const take = (count: number, tier: 'general' | 'sensitive' | 'registration') =>
    Array.from({ length: count }, () => app.mcpLimits[tier]('192.0.2.1')).filter((wait) => wait === 0).length

  t.equal(take(6100, 'general'), 6000)
  t.equal(take(1300, 'sensitive'), 1200)
  t.equal(take(130, 'registration'), 120)
})

t.test('a tier that does not exist stops the boot', async (t) => {
  const app = buildApp(t)
  await app.register(rateLimits)
  const config = JSON.parse('{"mcpLimit":"strict"}')

  t.throws(() => { app.get('/x', { config }, async () => 'ok') },
    { code: 'MCPS_ERR_INVALID_OPTION', message: /^\/x: config\.mcpLimit/ })
})

t.test('a limit of nothing stops the boot', async (t) => {
  const app = buildApp(t)

  await t.rejects(async () => { await app.register(rateLimits, { general: { max: 0, window: 60 } }) },
    { code: 'MCPS_ERR_INVALID_OPTION', message: /^rateLimits\.general\.max/ })
})
