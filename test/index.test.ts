import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import { systemClock } from '../lib/clock.js'
import { mcpSecurity, type McpSecurityOptions } from '../lib/index.js'
import type { AuditEvent } from '../types/audit.js'
import { buildApp } from './helpers/build-app.js'
import { stoppedClock } from './helpers/clock.js'

const minimal: McpSecurityOptions = {
  issuer: 'https://mcp.example.com',
  resource: 'https://mcp.example.com/mcp',
  scopes: { 'notes:read': 'Read your notes' },
  audit: { log: false }
}

async function secured (t: Test, options: McpSecurityOptions = minimal): Promise<FastifyInstance> {
  const app = buildApp(t)
  await app.register(async (mcp) => {
    await mcp.register(mcpSecurity, options)
    mcp.post('/mcp', async () => 'the handler ran')
  })
  return app
}

const call = { method: 'POST', url: '/mcp', headers: { host: 'mcp.example.com' } } as const

t.test('with what is needed and no more, the route is guarded and discovery is open', async (t) => {
  const app = await secured(t)

  const refused = await app.inject(call)
  const metadata = await app.inject({ url: '/.well-known/oauth-authorization-server', headers: { host: 'mcp.example.com' } })

  t.equal(refused.statusCode, 401)
  t.match(refused.headers, {
    'www-authenticate': /^Bearer resource_metadata=/,
    'strict-transport-security': /max-age=31536000/,
    'cache-control': 'no-store'
  })
  t.equal(metadata.statusCode, 200)
  t.equal(metadata.json().issuer, 'https://mcp.example.com')
})

t.test('nothing leaks to the routes beside the scope', async (t) => {
  const app = await secured(t)
  app.get('/beside', async () => 'open')

  const beside = await app.inject({ url: '/beside', headers: { host: 'other.example' } })

  t.equal(beside.body, 'open')
  t.notOk('strict-transport-security' in beside.headers)
})

t.test('a server on loopback http promises no https', async (t) => {
  const app = await secured(t, { ...minimal, issuer: 'http://127.0.0.1:3000', resource: 'http://127.0.0.1:3000/mcp' })

  const refused = await app.inject({ ...call, headers: { host: '127.0.0.1:3000' } })

  t.equal(refused.statusCode, 401)
  t.notOk('strict-transport-security' in refused.headers)
})

for (const part of ['audit', 'securityHeaders', 'originGuard', 'rateLimits'] as const) {
  t.test(`without ${part} the route is still guarded`, async (t) => {
    const app = await secured(t, { ...minimal, [part]: false })

    t.equal((await app.inject(call)).statusCode, 401)
  })
}

t.test('a host with its own sign-in gets no accounts and no sign-in page', async (t) => {
  const app = await secured(t, { ...minimal, signIn: () => ({ subject: 'user-1' }), resourceName: 'Notes' })

  t.equal((await app.inject({ url: '/sign-in', headers: { host: 'mcp.example.com' } })).statusCode, 404)
})

t.test('an origin that the option lists may call, and any other may not', async (t) => {
  const app = await secured(t, { ...minimal, originGuard: { origins: ['https://app.example'] } })
  const from = async (origin: string) => await app.inject({ ...call, headers: { ...call.headers, origin } })

  t.equal((await from('https://app.example')).statusCode, 401)
  t.equal((await from('https://app.example')).headers['access-control-allow-origin'], 'https://app.example')
  t.equal((await from('https://app.example.evil')).statusCode, 403)
})

t.test('a limit counts by the clock that the options give', async (t) => {
  const clock = stoppedClock()
  const app = await secured(t, { ...minimal, clock, rateLimits: { general: { max: 1, window: 60 } } })

  t.equal((await app.inject(call)).statusCode, 401)
  t.equal((await app.inject(call)).statusCode, 429)
  clock.advance(60)
  t.equal((await app.inject(call)).statusCode, 401)
})

t.test('events carry the tenant and the time of the options', async (t) => {
  const events: AuditEvent[] = []
  const app = await secured(t, {
    ...minimal, tenant: 'acme', clock: stoppedClock(1_800_000_000), audit: { log: false, sink: (event) => { events.push(event) } }
  })

  await app.inject(call)

  t.strictSame(events.map(({ type }) => type), ['key.created', 'access.denied'])
  t.ok(events.every(({ tenant, at }) => tenant === 'acme' && at === 1_800_000_000))
})

t.test('options for the headers leave the rest of them as it was', async (t) => {
  const app = await secured(t, { ...minimal, issuer: 'http://127.0.0.1:3000', resource: 'http://127.0.0.1:3000/mcp', securityHeaders: {} })

  t.notOk('strict-transport-security' in (await app.inject({ ...call, headers: { host: '127.0.0.1:3000' } })).headers)
})

const contradictions: Record<string, [McpSecurityOptions, RegExp]> = {
  'accounts beside a sign-in of the host': [{ ...minimal, signIn: () => null, accounts: {} }, /^accounts cannot be given together/],
  'neither accounts nor a sign-in': [{ ...minimal, accounts: false }, /^signIn is required when accounts is false/],
  'an unknown option': [Object.assign({ isuer: 'x' }, minimal), /^isuer is not an option/],
  'an issuer that is not https': [{ ...minimal, issuer: 'http://mcp.example.com' }, /^issuer /],
  'a resource with a fragment': [{ ...minimal, resource: 'https://mcp.example.com/mcp#x' }, /^resource /],
  'a component with an unknown scope': [{ ...minimal, components: [{ tool: 'x', scopes: ['nope'] }] }, /^components\.0\.scopes/],
  'a default scope that is unknown': [{ ...minimal, defaultScopes: ['nope'] }, /^defaultScopes\.0 /],
  'an implied scope that is unknown': [{ ...minimal, scopes: { a: { title: 'A', implies: ['b'] } } }, /^scopes\.a/]
}

for (const [what, [options, message]] of Object.entries(contradictions)) {
  t.test(`${what} stops the boot`, async (t) => {
    await t.rejects(secured(t, options), { code: 'MCPS_ERR_INVALID_OPTION', message })
  })
}

t.test('the clock of the machine counts whole seconds', async (t) => {
  t.ok(Number.isSafeInteger(systemClock()))
  t.ok(Math.abs(systemClock() - Date.now() / 1000) < 5)
})
