import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { pkceStore } from '../../../lib/plugins/pkce-store.js'
import { scopeGuard } from '../../../lib/plugins/scope-guard.js'
import type { AuthenticationOptions } from '../../../types/guard.js'
import type { ScopeGuardOptions } from '../../../types/options.js'
import { buildApp } from '../../helpers/build-app.js'
import { versions } from '../../helpers/fastify-versions.js'
import { bearer, call, callTool, guardOptions } from '../../helpers/guard.js'
import { guardedApp, post } from '../../helpers/guarded-app.js'

const anonymous = { scopes: ['notes:read'], roles: ['developer'] }
const off: AuthenticationOptions = { enabled: false, anonymous }

/** The variable of one test. */
function setVariable (t: { teardown (act: () => void): void }, value: string): string {
  const name = `MCP_TEST_${process.hrtime.bigint()}`
  process.env[name] = value
  t.teardown(() => { delete process.env[name] })
  return name
}

for (const [version, build] of Object.entries(versions)) {
  t.test(`Fastify ${version}: with authentication off a request without a token is the anonymous principal's`, async (t) => {
    const { app, events, handled } = await guardedApp(t, { authentication: off }, build)
    let seen: unknown
    app.get('/who', async (request) => { seen = [request.mcpAuth, request.raw.auth] })

    t.equal((await app.inject(post(null, callTool('search')))).statusCode, 200)
    t.equal((await app.inject('/who')).statusCode, 200)
    t.equal(handled.length, 1)
    t.match(seen, [
      { credential: 'anonymous', clientId: 'anonymous', scopes: ['notes:read'], roles: ['developer'] },
      { token: '', clientId: 'anonymous', scopes: ['notes:read'] }
    ])
    t.match(events.slice(1), [
      { type: 'access.allowed', operation: 'tools/call search', clientId: 'anonymous', scopesGranted: ['notes:read'] },
      { type: 'access.allowed', operation: 'GET /who' }
    ])
  })

  t.test(`Fastify ${version}: with authentication off the guard is not: the same rules, the same answers`, async (t) => {
    const { app, events, handled } = await guardedApp(t, { authentication: off }, build)

    const denied = await app.inject(post(null, callTool('delete')))

    t.equal(denied.statusCode, 403)
    t.match(denied.headers['www-authenticate'], /scope="notes:write profile notes:read", error="insufficient_scope"/)
    t.equal((await app.inject(post(null, callTool('drop_tables')))).statusCode, 403)
    t.equal((await app.inject(post(null, call('sentinel/do')))).statusCode, 403)
    t.equal((await app.inject('/notes')).statusCode, 403)
    t.strictSame(handled, [])
    t.ok(events.slice(1).every(({ type }) => type === 'access.denied'))
  })

  t.test(`Fastify ${version}: an app with authentication off does not listen beyond loopback`, async (t) => {
    const { app } = await guardedApp(t, { authentication: off }, build)

    await t.rejects(app.listen({ port: 0, host: '0.0.0.0' }), { code: 'MCPS_ERR_OPEN_SERVER' })

    t.equal(app.server.listening, false)
  })

  t.test(`Fastify ${version}: nor when it is asked to by callback, which is called once`, async (t) => {
    const { app } = await guardedApp(t, { authentication: off }, build)
    const answers: unknown[] = []

    await new Promise<void>((resolve) => {
      app.listen({ port: 0, host: '::' }, (error) => { answers.push(error); resolve() })
    })

    t.match(answers, [{ code: 'MCPS_ERR_OPEN_SERVER' }])
    t.equal(app.server.listening, false)
  })

  t.test(`Fastify ${version}: it listens on loopback, and beyond where that is said`, async (t) => {
    const { app } = await guardedApp(t, { authentication: off }, build)
    const { app: open } = await guardedApp(t, { authentication: { ...off, beyondLoopback: true } }, build)

    t.match(await app.listen({ port: 0 }), /^http/)
    t.match(await open.listen({ port: 0, host: '0.0.0.0' }), /^http/)
    t.equal((await open.inject({ ...post(null, callTool('search')), remoteAddress: '10.0.0.8' })).statusCode, 200)
  })

  t.test(`Fastify ${version}: switched on, it asks the next request for a token, and says so`, async (t) => {
    const { app, events, handled } = await guardedApp(t, { authentication: off }, build)
    await app.ready()
    t.equal(app.mcpAuthentication.enabled, false)

    app.mcpAuthentication.set(true)

    t.equal(app.mcpAuthentication.enabled, true)
    const response = await app.inject(post(null, callTool('search')))
    t.equal(response.statusCode, 401)
    t.match(response.headers['www-authenticate'], /^Bearer resource_metadata=/)
    t.strictSame(handled, [])
    app.mcpAuthentication.set(false)
    t.equal((await app.inject(post(null, callTool('search')))).statusCode, 200)
    t.match(events, [
      { type: 'configuration.changed', operation: 'authentication off', requestId: null },
      { type: 'configuration.changed', operation: 'authentication on', outcome: 'allowed' },
      { type: 'access.denied', reason: 'no token' },
      { type: 'configuration.changed', operation: 'authentication off' },
      { type: 'access.allowed' }
    ])
  })
}

const presented: Record<string, [Record<string, string>, number]> = {
  'a forged token': [bearer('forged'), 401],
  'half a header': [{ authorization: 'Bearer' }, 401],
  'the token of somebody with less': [bearer('nobody'), 403]
}

for (const [what, [headers, status]] of Object.entries(presented)) {
  t.test(`with authentication off ${what} is held to it all the same`, async (t) => {
    const { app, handled } = await guardedApp(t, { authentication: off })

    t.equal((await app.inject({ ...post(null, callTool('search')), headers: { ...headers, 'content-type': 'application/json' } })).statusCode, status)
    t.strictSame(handled, [])
  })
}

t.test('with authentication off a good token is who it says', async (t) => {
  const { app, events } = await guardedApp(t, { authentication: off })

  await app.inject(post('writer', callTool('search')))

  t.match(events[1], { type: 'access.allowed', clientId: 'client-1', scopesGranted: ['notes:write'] })
})

for (const [word, status] of [['off', 200], ['False', 200], ['0', 200], ['on', 401], ['TRUE', 401], ['1', 401], ['', 401]] as const) {
  t.test(`a variable that is named, and says ${JSON.stringify(word)}, is followed`, async (t) => {
    const environment = setVariable(t, word)
    const { app } = await guardedApp(t, { authentication: { environment, anonymous } })

    t.equal((await app.inject(post(null, callTool('search')))).statusCode, status)
  })
}

t.test('a variable that is named but not set leaves it to the option', async (t) => {
  const { app } = await guardedApp(t, { authentication: { ...off, environment: 'MCP_TEST_NOT_SET' } })

  t.equal((await app.inject(post(null, callTool('search')))).statusCode, 200)
})

type Refused = Readonly<Record<string, [AuthenticationOptions, RegExp]>>

const refused: Refused = {
  'off for nobody': [{ enabled: false }, /^authentication\.anonymous is required/],
  'off by a variable for nobody': [{ environment: 'MCP_TEST_NOT_SET' }, /^authentication\.anonymous is required/],
  'an unknown scope': [{ ...off, anonymous: { scopes: ['notes:read', 'typo'] } },
    /^authentication\.anonymous\.scopes\.1 is neither/],
  'a tag that nothing carries': [{ ...off, anonymous: { scopes: ['tag:typo'] } }, /anonymous\.scopes\.0 is neither/],
  'a variable with a strange name': [{ ...off, environment: 'A B' }, /^authentication\.environment must be/]
}

for (const [what, [authentication, message]] of Object.entries(refused)) {
  t.test(`${what} stops the boot`, async (t) => {
    await t.rejects(async () => { await guardedApp(t, { authentication }) }, { code: 'MCPS_ERR_INVALID_OPTION', message })
  })
}

t.test('a variable that says neither on nor off stops the boot, and is not repeated', async (t) => {
  const environment = setVariable(t, 'sentinel')

  const failed = guardedApp(t, { authentication: { environment, anonymous } })
  const error: unknown = await failed.catch((error: unknown) => error)

  t.match(error, { code: 'MCPS_ERR_INVALID_OPTION', message: /^authentication\.environment names/ })
  t.notMatch(String(error), 'sentinel')
})

t.test('it can not be switched off for nobody, nor to something that is neither', async (t) => {
  const { app } = await guardedApp(t)

  t.throws(() => { app.mcpAuthentication.set(false) }, { code: 'MCPS_ERR_INVALID_OPTION' })
  t.throws(() => { Reflect.apply(app.mcpAuthentication.set, null, ['off']) }, { code: 'MCPS_ERR_INVALID_OPTION' })
  t.equal(app.mcpAuthentication.enabled, true)
})

t.test('what is switched to what it is changes nothing and reports nothing', async (t) => {
  const { app, events } = await guardedApp(t, { authentication: { anonymous } })

  app.mcpAuthentication.set(true)

  t.strictSame(events, [])
})

t.test('it can not be switched off while the app listens beyond loopback', async (t) => {
  const { app } = await guardedApp(t, { authentication: { anonymous } })
  await app.listen({ port: 0, host: '0.0.0.0' })

  t.throws(() => { app.mcpAuthentication.set(false) }, { code: 'MCPS_ERR_OPEN_SERVER' })
  t.equal(app.mcpAuthentication.enabled, true)
})

t.test('an app that was off at boot, and on when it starts to listen, listens everywhere and reports no off', async (t) => {
  const { app, events } = await guardedApp(t, { authentication: off })
  app.mcpAuthentication.set(true)

  await app.listen({ port: 0, host: '0.0.0.0' })

  t.match(events, [{ operation: 'authentication on' }])
  t.equal(events.length, 1)
})

t.test('without an audit hook it is switched all the same', async (t) => {
  const app: FastifyInstance = buildApp(t)
  const options: Partial<ScopeGuardOptions> = { authentication: off }
  await app.register(scopeGuard, guardOptions(options))
  app.post('/mcp', async () => 'handled')
  await app.ready()

  app.mcpAuthentication.set(true)

  t.equal((await app.inject(post(null, callTool('search')))).statusCode, 401)
})

t.test('a Unix socket counts as beyond: nobody can tell who stands before it', async (t) => {
  const { app } = await guardedApp(t, { authentication: off })

  t.equal((await app.inject({ ...post(null, callTool('search')), remoteAddress: '10.0.0.8' })).statusCode, 401)
  await t.rejects(app.listen({ path: '/tmp/mcp-security-never.sock' }), { code: 'MCPS_ERR_OPEN_SERVER' })
})

t.test('the anonymous principal is of the tenant of the store', async (t) => {
  const app = buildApp(t)
  let tenant: unknown
  await app.register(pkceStore, { tenant: 'acme' })
  await app.register(scopeGuard, guardOptions({ authentication: off }))
  app.post('/mcp', async (request) => { tenant = request.mcpAuth?.tenant })

  await app.inject(post(null, callTool('search')))

  t.equal(tenant, 'acme')
})
