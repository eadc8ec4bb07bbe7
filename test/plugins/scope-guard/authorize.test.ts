import type { FastifyInstance, HTTPMethods } from 'fastify'
import t from 'tap'
import { auditHook } from '../../../lib/plugins/audit-hook.js'
import { scopeGuard } from '../../../lib/plugins/scope-guard.js'
import type { AuditEvent } from '../../../types/audit.js'
import type { AccessInput } from '../../../types/guard.js'
import { buildApp, type Teardown } from '../../helpers/build-app.js'
import { bearer, call, callTool, guardOptions, METADATA, RESOURCE } from '../../helpers/guard.js'

interface Guarded {
  readonly app: FastifyInstance
  readonly events: AuditEvent[]
  /** Bodies that reached a handler. */
  readonly handled: unknown[]
}

async function guarded (t: Teardown): Promise<Guarded> {
  const app = buildApp(t)
  const events: AuditEvent[] = []
  const handled: unknown[] = []
  const handler = async ({ body }: { body: unknown }) => { handled.push(body ?? null); return 'handled' }
  await app.register(auditHook, { log: false, sink: (event) => { events.push(event) } })
  await app.register(scopeGuard, guardOptions())
  app.route({ method: ['POST', 'PUT', 'DELETE'], url: '/mcp', handler })
  app.get('/mcp', { config: { mcpSecurity: { scopes: ['notes:write'] } } }, handler)
  app.post('/mcp/', { config: { mcpSecurity: { scopes: ['profile'] } } }, handler)
  app.get('/notes', { config: { mcpSecurity: { scopes: ['notes:read', 'profile'] } } }, handler)
  app.get('/open', { config: { mcpSecurity: { public: true } } }, handler)
  app.get('/any', handler)
  app.post('/any', handler)
  return { app, events, handled }
}

const post = (token: string, payload: unknown, url = '/mcp') => ({
  method: 'POST', url, headers: { ...bearer(token), 'content-type': 'application/json' }, payload: JSON.stringify(payload)
} as const)

t.test('a tool within the grant is called, and reported once', async (t) => {
  const { app, events, handled } = await guarded(t)

  const response = await app.inject(post('writer', callTool('search')))

  t.equal(response.body, 'handled')
  t.equal(handled.length, 1)
  t.match(events, [{
    type: 'access.allowed',
    outcome: 'allowed',
    reason: null,
    subject: 'user-1',
    clientId: 'client-1',
    grantId: 'grant-1',
    resource: RESOURCE,
    operation: 'tools/call search',
    scopesAsked: ['notes:read'],
    scopesGranted: ['notes:write']
  }])
  t.equal(events.length, 1)
})

t.test('a tool outside of the grant is 403 with all scopes that are needed and those that are there', async (t) => {
  const { app, events, handled } = await guarded(t)

  const response = await app.inject(post('reader', callTool('delete', 7)))

  t.equal(response.statusCode, 403)
  t.equal(response.headers['www-authenticate'],
    `Bearer resource_metadata="${METADATA}", scope="notes:write profile notes:read", error="insufficient_scope", ` +
    'error_description="More scopes are needed"')
  t.equal(response.headers['cache-control'], 'no-store')
  t.same(response.json(), { jsonrpc: '2.0', id: 7, error: { code: -32000, message: 'More scopes are needed' } })
  t.strictSame(handled, [])
  t.match(events, [{
    type: 'access.denied',
    reason: 'insufficient-scope',
    operation: 'tools/call delete',
    scopesAsked: ['notes:write', 'profile'],
    scopesGranted: ['notes:read']
  }])
  t.equal(events.length, 1)
})

const unknown: Record<string, [unknown, number, string]> = {
  'an unknown tool': [callTool('drop_tables'), -32602, 'tools/call'],
  'an unknown prompt': [call('prompts/get', { name: 'search' }), -32602, 'prompts/get'],
  'an unknown resource': [call('resources/read', { uri: 'notes://ALL' }), -32602, 'resources/read'],
  'a completion for an unknown prompt': [call('completion/complete', { ref: { type: 'ref/prompt', name: 'x' } }), -32602, 'completion/complete'],
  'a task of whomever': [call('tasks/get', { taskId: '1' }), -32601, 'unknown method'],
  'an unknown method': [call('secret-stuff/do'), -32601, 'unknown method'],
  'an unknown notification': [{ jsonrpc: '2.0', method: 'notifications/secret-stuff' }, -32601, 'unknown method']
}

for (const [what, [payload, code, operation]] of Object.entries(unknown)) {
  t.test(`${what} is 403 without a challenge, for every token`, async (t) => {
    const { app, events, handled } = await guarded(t)

    const response = await app.inject(post('admin', payload))

    t.equal(response.statusCode, 403)
    t.equal(response.headers['www-authenticate'], undefined)
    t.match(response.json(), { jsonrpc: '2.0', error: { code } })
    t.strictSame(handled, [])
    t.match(events, [{ type: 'access.denied', operation, scopesAsked: [] }])
  })
}

t.test('text of the request does not get into an event', async (t) => {
  const { app, events } = await guarded(t)

  await app.inject(post('admin', callTool('sentinel-tool')))
  await app.inject(post('admin', call('sentinel/method')))
  await app.inject(post('admin', { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: ['sentinel'] } }))

  t.equal(events.length, 3)
  t.notMatch(JSON.stringify(events), 'sentinel')
})

t.test('an empty grant is told the scopes to begin with', async (t) => {
  const { app, handled } = await guarded(t)

  const listed = await app.inject(post('nobody', call('tools/list')))
  const called = await app.inject(post('nobody', callTool('delete')))

  t.match(listed.headers['www-authenticate'], /scope="notes:read", error="insufficient_scope"/)
  t.match(called.headers['www-authenticate'], /scope="notes:write profile", error="insufficient_scope"/)
  t.strictSame(handled, [])
})

for (const payload of [call('initialize', {}), call('tools/list'), call('ping'), { jsonrpc: '2.0', id: 1, result: {} },
  { jsonrpc: '2.0', method: 'notifications/initialized' }]) {
  t.test(`${'method' in payload ? payload.method : 'a response'} needs no more than a grant`, async (t) => {
    const { app, handled } = await guarded(t)

    await app.inject(post('reader', payload))

    t.same(handled, [payload])
  })
}

const malformed: Record<string, [unknown, number, unknown]> = {
  'a number': [1, -32600, null],
  null: [null, -32600, null],
  'no version': [{ id: 1, method: 'ping' }, -32600, null],
  'no method': [{ jsonrpc: '2.0', id: 'a' }, -32600, 'a'],
  'a tool call without a name': [call('tools/call', { arguments: {} }, 3), -32602, 3],
  'an empty batch': [[], -32600, null],
  'a batch of 101': [Array.from({ length: 101 }, () => call('ping')), -32600, null],
  'a batch with one bad message': [[call('ping'), { jsonrpc: '2.0' }], -32600, null]
}

for (const [what, [payload, code, id]] of Object.entries(malformed)) {
  t.test(`${what} is 400 in JSON-RPC`, async (t) => {
    const { app, events, handled } = await guarded(t)

    const response = await app.inject(post('admin', payload))

    t.equal(response.statusCode, 400)
    t.match(response.json(), { jsonrpc: '2.0', id, error: { code } })
    t.strictSame(handled, [])
    t.match(events, [{ type: 'request.refused', reason: String, subject: 'user-1' }])
    t.equal(events.length, 1)
  })
}

t.test('no body at all is 400', async (t) => {
  const { app } = await guarded(t)

  const response = await app.inject({ method: 'POST', url: '/mcp', headers: bearer('admin') })

  t.equal(response.statusCode, 400)
  t.match(response.json(), { error: { code: -32700 } })
})

const unread: Record<string, [HTTPMethods, string, string, number]> = {
  'half of a JSON text': ['POST', 'application/json', '{"a":', 400],
  'a wrong type': ['POST', 'application/xml', '<a/>', 415],
  'two megabytes': ['POST', 'application/json', JSON.stringify('x'.repeat(2_000_000)), 413],
  'a method that nobody serves': ['PATCH', 'application/json', '{}', 405]
}

for (const [what, [method, type, payload, status]] of Object.entries(unread)) {
  t.test(`${what} is reported once, with who sent it`, async (t) => {
    const { app, events } = await guarded(t)
    const headers = { ...bearer('reader'), 'content-type': type }

    t.equal((await app.inject({ method, url: '/mcp', headers, payload })).statusCode, status)
    t.match(events, [{ type: 'request.refused', reason: `status ${status}`, subject: 'user-1', clientId: 'client-1' }])
    t.equal(events.length, 1)
  })
}

t.test('a bad body at an open preflight is reported without anybody', async (t) => {
  const { app, events } = await guarded(t)
  app.options('/mcp', { config: { mcpSecurity: { public: true } } }, async () => 'preflight')
  const headers = { 'content-type': 'application/json' }

  t.equal((await app.inject({ method: 'OPTIONS', url: '/mcp', headers, payload: '{' })).statusCode, 400)
  t.match(events, [{ type: 'request.refused', reason: 'status 400', subject: null }])
})

t.test('a message as text/plain is 415, although Fastify can read that', async (t) => {
  const { app, handled } = await guarded(t)

  const response = await app.inject({
    method: 'POST', url: '/mcp', headers: { ...bearer('admin'), 'content-type': 'text/plain' }, payload: JSON.stringify(callTool('search'))
  })

  t.equal(response.statusCode, 415)
  t.strictSame(handled, [])
})

t.test('a batch passes when all of it is allowed, with an event for each message', async (t) => {
  const { app, events } = await guarded(t)

  const response = await app.inject(post('reader', [callTool('search'), call('ping')]))

  t.equal(response.statusCode, 200)
  t.match(events, [{ operation: 'tools/call search' }, { operation: 'ping' }])
  t.ok(events.every(({ outcome }) => outcome === 'allowed'))
})

t.test('a batch with one message outside of the grant is denied as a whole, with what all of it needs', async (t) => {
  const { app, events, handled } = await guarded(t)

  const response = await app.inject(post('reader', [callTool('search'), callTool('delete')]))

  t.equal(response.statusCode, 403)
  t.match(response.headers['www-authenticate'], /scope="notes:read notes:write profile", error="insufficient_scope"/)
  t.match(response.json(), { id: null })
  t.strictSame(handled, [])
  t.match(events, [
    { type: 'access.denied', operation: 'tools/call search', reason: 'batch denied' },
    { type: 'access.denied', operation: 'tools/call delete', reason: 'insufficient-scope' }
  ])
})

t.test('a batch with an unknown tool asks for no scopes, since none would help', async (t) => {
  const { app, handled } = await guarded(t)

  const response = await app.inject(post('reader', [callTool('delete'), callTool('drop_tables')]))

  t.equal(response.statusCode, 403)
  t.equal(response.headers['www-authenticate'], undefined)
  t.strictSame(handled, [])
})

t.test('a subscription needs the scopes of each resource in it', async (t) => {
  const { app, handled } = await guarded(t)
  const listen = (...uris: string[]) => call('subscriptions/listen', { notifications: { resourceSubscriptions: uris } })

  t.equal((await app.inject(post('reader', listen('notes://all')))).statusCode, 200)
  t.equal((await app.inject(post('nobody', listen()))).statusCode, 403)
  t.equal((await app.inject(post('admin', listen('notes://all', 'notes://other')))).statusCode, 403)
  t.equal(handled.length, 1)
})

t.test('messages in a body of another method are decided all the same', async (t) => {
  const { app, handled } = await guarded(t)

  for (const method of ['PUT', 'DELETE'] as const) {
    t.equal((await app.inject({ ...post('reader', callTool('delete')), method })).statusCode, 403)
  }
  t.strictSame(handled, [])
})

t.test('a method without a body needs the route\'s scopes, in JSON-RPC at the endpoint', async (t) => {
  const { app, events, handled } = await guarded(t)

  const response = await app.inject({ url: '/mcp', headers: bearer('reader') })

  t.equal(response.statusCode, 403)
  t.match(response.json(), { jsonrpc: '2.0', id: null })
  t.strictSame(handled, [])
  t.match(events, [{ operation: 'GET /mcp', scopesAsked: ['notes:write'] }])
  t.equal((await app.inject({ method: 'HEAD', url: '/mcp', headers: bearer('reader') })).statusCode, 403)
  t.equal((await app.inject({ url: '/mcp', headers: bearer('writer') })).statusCode, 200)
})

t.test('an endpoint with scopes of its own asks for them and for those of the message', async (t) => {
  const { app } = await guarded(t)

  const response = await app.inject(post('reader', callTool('search'), '/mcp/'))

  t.match(response.headers['www-authenticate'], /scope="profile notes:read", error="insufficient_scope"/)
  t.equal((await app.inject(post('admin', callTool('search'), '/mcp/'))).statusCode, 200)
})

t.test('a route of another kind needs the scopes in its config', async (t) => {
  const { app, handled } = await guarded(t)

  const response = await app.inject({ url: '/notes', headers: bearer('reader') })

  t.equal(response.statusCode, 403)
  t.match(response.headers['www-authenticate'], /scope="notes:read profile", error="insufficient_scope"/)
  t.same(response.json(), { error: 'insufficient_scope', error_description: 'More scopes are needed' })
  t.strictSame(handled, [])
  t.equal((await app.inject({ url: '/notes', headers: bearer('admin') })).statusCode, 200)
})

t.test('a public route asks nobody, and nothing is decided about it', async (t) => {
  const { app, events, handled } = await guarded(t)

  t.equal((await app.inject('/open')).statusCode, 200)
  t.equal(handled.length, 1)
  t.strictSame(events, [])
})

t.test('a route without scopes needs a grant that is not empty', async (t) => {
  const { app, handled } = await guarded(t)

  t.equal((await app.inject({ url: '/any', headers: bearer('reader') })).statusCode, 200)
  t.equal((await app.inject({ url: '/any', headers: bearer('nobody') })).statusCode, 403)
  t.equal(handled.length, 1)
})

t.test('the body of a route of another kind is its own business', async (t) => {
  const { app } = await guarded(t)

  t.equal((await app.inject(post('reader', callTool('drop_tables'), '/any'))).statusCode, 200)
})

t.test('a path that does not exist is reported under no name of the client\'s', async (t) => {
  const { app, events } = await guarded(t)

  await app.inject({ url: '/sentinel', headers: bearer('reader') })

  t.match(events, [{ type: 'access.allowed', operation: 'GET unknown route' }])
})

t.test('a route that was there before the guard is held to its config all the same', async (t) => {
  const app = buildApp(t)
  app.get('/typo', { config: { mcpSecurity: { scopes: ['typo'] } } }, async () => 'handled')
  app.get('/scoped', { config: { mcpSecurity: { scopes: ['notes:write'] } } }, async () => 'handled')
  await app.register(scopeGuard, guardOptions())
  app.post('/mcp', async () => 'handled')

  t.equal((await app.inject('/scoped')).statusCode, 401)
  t.equal((await app.inject({ url: '/scoped', headers: bearer('reader') })).statusCode, 403)
  t.equal((await app.inject({ url: '/scoped', headers: bearer('writer') })).statusCode, 200)
  t.equal((await app.inject({ url: '/typo', headers: bearer('admin') })).statusCode, 403)
})

t.test('a request that lost its principal on the way is not let through', async (t) => {
  const app = buildApp(t)
  await app.register(scopeGuard, guardOptions())
  app.addHook('preValidation', async (request) => { request.mcpAuth = null })
  app.post('/mcp', async () => 'handled')

  t.equal((await app.inject(post('admin', callTool('search')))).statusCode, 401)
})

t.test('a host that takes its time is waited for, and its answer is the one that counts', async (t) => {
  const app = buildApp(t)
  let handled = 0
  const access = async ({ operation }: AccessInput) => operation.type === 'message' && operation.method === 'ping'
  await app.register(scopeGuard, guardOptions({ access }))
  app.post('/mcp', async () => { handled += 1; return 'handled' })

  t.equal((await app.inject(post('admin', callTool('search')))).statusCode, 403)
  t.equal(handled, 0)
  t.equal((await app.inject(post('admin', call('ping')))).statusCode, 200)
  t.equal(handled, 1)
})
