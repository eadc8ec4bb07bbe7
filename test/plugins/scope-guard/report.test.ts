import t from 'tap'
import { scopeGuard } from '../../../lib/plugins/scope-guard.js'
import { buildApp } from '../../helpers/build-app.js'
import { versions } from '../../helpers/fastify-versions.js'
import { bearer, call, callTool, guardOptions, RESOURCE } from '../../helpers/guard.js'
import { guardedApp, post } from '../../helpers/guarded-app.js'

const denied: Record<string, [string, unknown, string, string]> = {
  'a tool outside of the grant': ['reader', callTool('delete'), 'insufficient-scope', 'tools/call delete'],
  'a tool that nobody knows': ['reader', callTool('sentinel'), 'unknown-component', 'tools/call'],
  'a method that nobody knows': ['reader', call('sentinel/do'), 'unknown-method', 'unknown method'],
  'an empty grant': ['nobody', call('tools/list'), 'empty-grant', 'tools/list']
}

for (const [version, build] of Object.entries(versions)) {
  for (const [what, [token, payload, reason, operation]] of Object.entries(denied)) {
    t.test(`Fastify ${version}: with reportOnly ${what} passes, and is reported with what enforcement would have said`, async (t) => {
      const { app, events, handled } = await guardedApp(t, { reportOnly: true }, build)

      const response = await app.inject(post(token, payload))

      t.equal(response.body, 'handled')
      t.same(handled, [payload])
      t.match(events, [{ type: 'access.would-be-denied', outcome: 'allowed', reason, operation, resource: RESOURCE, clientId: 'client-1' }])
      t.equal(events.length, 1)
      t.notMatch(JSON.stringify(events), 'sentinel')
    })
  }
}

t.test('a would-be denial tells the scopes that were asked for and those that were there', async (t) => {
  const { app, events } = await guardedApp(t, { reportOnly: true })

  await app.inject(post('reader', callTool('delete')))

  t.match(events, [{ scopesAsked: ['notes:write', 'profile'], scopesGranted: ['notes:read'], subject: 'user-1', grantId: 'grant-1' }])
})

t.test('with reportOnly what is allowed is reported as allowed', async (t) => {
  const { app, events } = await guardedApp(t, { reportOnly: true })

  await app.inject(post('reader', callTool('search')))

  t.match(events, [{ type: 'access.allowed' }])
})

t.test('with reportOnly nobody passes without a good token', async (t) => {
  const { app, handled } = await guardedApp(t, { reportOnly: true })

  t.equal((await app.inject(post(null, callTool('search')))).statusCode, 401)
  t.equal((await app.inject(post('forged', callTool('search')))).statusCode, 401)
  t.equal((await app.inject('/watched')).statusCode, 401)
  t.strictSame(handled, [])
})

t.test('with reportOnly what can not be read is refused: nobody knows what it would do', async (t) => {
  const { app, handled } = await guardedApp(t, { reportOnly: true })

  t.equal((await app.inject(post('admin', { jsonrpc: '2.0' }))).statusCode, 400)
  t.strictSame(handled, [])
})

t.test('a route can be report-only by itself, and nothing else is', async (t) => {
  const { app, events, handled } = await guardedApp(t)

  t.equal((await app.inject({ url: '/watched', headers: bearer('reader') })).statusCode, 200)
  t.equal((await app.inject({ url: '/notes', headers: bearer('reader') })).statusCode, 403)
  t.equal((await app.inject(post('reader', callTool('delete')))).statusCode, 403)
  t.equal(handled.length, 1)
  t.match(events, [{ type: 'access.would-be-denied', operation: 'GET /watched' }, { type: 'access.denied' }, { type: 'access.denied' }])
})

t.test('a route can be enforced where everything else is report-only', async (t) => {
  const app = buildApp(t)
  await app.register(scopeGuard, guardOptions({ reportOnly: true }))
  app.post('/mcp', async () => 'handled')
  app.get('/strict', { config: { mcpSecurity: { scopes: ['admin'], reportOnly: false } } }, async () => 'handled')

  t.equal((await app.inject({ url: '/strict', headers: bearer('reader') })).statusCode, 403)
  t.equal((await app.inject(post('reader', callTool('delete')))).statusCode, 200)
})

t.test('with reportOnly the host\'s last word is asked for what the policy allows, and reported', async (t) => {
  const asked: unknown[] = []
  const access = async ({ operation }: { operation: unknown }) => { asked.push(operation); return false }
  const { app, events, handled } = await guardedApp(t, { reportOnly: true, access })

  t.equal((await app.inject(post('reader', [callTool('search'), callTool('delete')]))).statusCode, 200)
  t.equal(asked.length, 1)
  t.equal(handled.length, 1)
  t.match(events, [
    { type: 'access.would-be-denied', reason: 'host' }, { type: 'access.would-be-denied', reason: 'insufficient-scope' }
  ])
})

t.test('a resource is named by its rule: what stands for a variable of a template is text of the request (mistake 25)', async (t) => {
  const components = [
    { resource: 'notes://all', scopes: ['notes:read'] }, { resourceTemplate: 'notes://by/{name}', scopes: ['notes:read'] }
  ]
  const { app, events } = await guardedApp(t, { components })

  for (const uri of ['notes://all', 'notes://by/sentinel', 'notes://sentinel']) await app.inject(post('reader', call('resources/read', { uri })))

  t.strictSame(events.map(({ operation }) => operation), [
    'resources/read notes://all', 'resources/read notes://by/{name}', 'resources/read'
  ])
})
