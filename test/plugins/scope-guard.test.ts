import { setImmediate } from 'node:timers/promises'
import type { FastifyInstance, FastifyServerOptions, HTTPMethods } from 'fastify'
import t from 'tap'
import { scopeGuard } from '../../lib/plugins/scope-guard.js'
import type { ScopeGuardOptions } from '../../types/options.js'
import { buildApp, type Teardown } from '../helpers/build-app.js'
import { versions } from '../helpers/fastify-versions.js'
import { bearer, callTool, call, guardOptions, TOKENS, verifierOf } from '../helpers/guard.js'

/** An MCP app with routes of every kind, its hooks slow, that counts how often anything of the host's has run. */
async function host (t: Teardown, build = buildApp, more: Partial<ScopeGuardOptions> = {},
  server: FastifyServerOptions = {}) {
  const app = build(t, server)
  const ran: string[] = []
  const handler = async ({ method }: { method: string }) => {
    ran.push(method)
    return { handled: true }
  }

  app.addHook('onSend', async (_request, _reply, payload) => {
    for (let turns = 0; turns < 5; turns += 1) await setImmediate()
    return payload
  })
  app.get('/outside', handler)
  await app.register(async (scope) => {
    scope.get('/early', handler)
    await scope.register(scopeGuard, guardOptions(more))
    scope.addHook('preValidation', async () => { ran.push('preValidation') })
    scope.route({ method: ['GET', 'POST', 'DELETE', 'OPTIONS'], url: '/mcp', handler })
    scope.get('/notes', handler)
    scope.get('/notes/:id', handler)
    scope.post('/schema', { schema: { body: { type: 'object', required: ['a'], properties: { a: { type: 'string' } } } } }, handler)
    scope.get('/files/*', handler)
    scope.options('*', handler)
    scope.get('/open', { config: { mcpSecurity: { public: true } } }, handler)
    scope.register(async (child: FastifyInstance) => { child.get('/nested', handler) }, { prefix: '/child' })
    scope.get('/stream', (_request, reply) => {
      ran.push('stream')
      reply.hijack()
      reply.raw.end('stream')
    })
  })
  return { app, ran }
}

interface Attempt {
  readonly method: HTTPMethods
  readonly url: string
  readonly payload?: string
  readonly type?: string
}

const guardedRoutes: Record<string, Attempt> = {
  'a tool call': { method: 'POST', url: '/mcp', payload: JSON.stringify(callTool('search')) },
  'an unknown method': { method: 'POST', url: '/mcp', payload: JSON.stringify(call('evil')) },
  'server/discover': { method: 'POST', url: '/mcp', payload: JSON.stringify(call('server/discover')) },
  'half of a JSON text': { method: 'POST', url: '/mcp', payload: '{"a":' },
  'a wrong content type': { method: 'POST', url: '/mcp', payload: '<a/>', type: 'application/xml' },
  'two megabytes': { method: 'POST', url: '/mcp', payload: JSON.stringify('x'.repeat(2_000_000)) },
  'an event stream': { method: 'GET', url: '/mcp' },
  'HEAD at the endpoint': { method: 'HEAD', url: '/mcp' },
  'the end of a session': { method: 'DELETE', url: '/mcp' },
  'a method that nobody serves': { method: 'PUT', url: '/mcp' },
  'OPTIONS at the endpoint': { method: 'OPTIONS', url: '/mcp' },
  'OPTIONS anywhere': { method: 'OPTIONS', url: '/anything' },
  'the endpoint with a query': { method: 'POST', url: '/mcp?x=/open', payload: '{}' },
  'the endpoint in percent signs': { method: 'POST', url: '/%6dcp', payload: '{}' },
  'a plain route': { method: 'GET', url: '/notes' },
  'HEAD of a plain route': { method: 'HEAD', url: '/notes' },
  'a route with a parameter': { method: 'GET', url: '/notes/1' },
  'a route with a schema that the body breaks': { method: 'POST', url: '/schema', payload: '{}' },
  'a wildcard route': { method: 'GET', url: '/files/open' },
  'a route of a child scope': { method: 'GET', url: '/child/nested' },
  'a route from before the guard': { method: 'GET', url: '/early' },
  'a stream': { method: 'GET', url: '/stream' }
}

const credentials: Record<string, Record<string, string>> = {
  'no token': {},
  'an invalid token': bearer('invalid'),
  'a session id only': { 'mcp-session-id': 'abc', 'last-event-id': '1' }
}

for (const [version, build] of Object.entries(versions)) {
  for (const [who, headers] of Object.entries(credentials)) {
    for (const [what, { method, url, payload, type = 'application/json' }] of Object.entries(guardedRoutes)) {
      t.test(`${what} with ${who} is 401, and nothing of the host runs (Fastify ${version})`, async (t) => {
        const { app, ran } = await host(t, build)

        const response = await app.inject({
          method, url, headers: payload === undefined ? headers : { ...headers, 'content-type': type }, ...(payload === undefined ? {} : { payload })
        })

        t.equal(response.statusCode, 401)
        t.match(response.headers['www-authenticate'], /^Bearer resource_metadata="https:[^"]+", scope="notes:read"/)
        t.strictSame(ran, [])
      })
    }
  }

  t.test(`403 runs no handler, however slow the answer goes out (Fastify ${version})`, async (t) => {
    for (const recalled of [[], ['reader']]) {
      const { app, ran } = await host(t, build, { verifier: verifierOf(TOKENS, recalled) })

      const response = await app.inject({ method: 'POST', url: '/mcp', headers: bearer('reader'), payload: callTool('delete') })
      await setImmediate()

      t.equal(response.statusCode, 403)
      t.strictSame(ran, ['preValidation'])
    }
  })

  t.test(`with a token every guarded route runs (Fastify ${version})`, async (t) => {
    for (const recalled of [[], ['reader']]) {
      const { app } = await host(t, build, { verifier: verifierOf(TOKENS, recalled) })
      const inject = (method: HTTPMethods, url: string, payload?: object) =>
        app.inject({ method, url, headers: bearer('reader'), ...(payload === undefined ? {} : { payload }) })

      t.equal((await inject('POST', '/mcp', callTool('search'))).statusCode, 200)
      for (const url of ['/mcp', '/notes', '/notes/1', '/files/x', '/child/nested', '/early', '/stream']) {
        t.equal((await inject('GET', url)).statusCode, 200, url)
      }
    }
  })

  t.test(`with a token the body gets its own errors, in JSON-RPC (Fastify ${version})`, async (t) => {
    const { app, ran } = await host(t, build)
    const inject = (type: string, payload: string) =>
      app.inject({ method: 'POST', url: '/mcp', headers: { ...bearer('reader'), 'content-type': type }, payload })

    for (const [response, status] of [
      [await inject('application/xml', '<a/>'), 415],
      [await inject('application/json', '{"a":'), 400],
      [await inject('application/json', JSON.stringify('x'.repeat(2_000_000))), 413]
    ] as const) {
      t.equal(response.statusCode, status)
      t.match(response.json(), { jsonrpc: '2.0', id: null, error: { message: String } })
    }
    t.notOk(ran.includes('POST'))
  })

  t.test(`routes outside of the scope and public ones are open (Fastify ${version})`, async (t) => {
    const { app } = await host(t, build)

    for (const url of ['/outside', '/open']) t.equal((await app.inject(url)).statusCode, 200, url)
    t.equal((await app.inject({ method: 'HEAD', url: '/open' })).statusCode, 200)
  })

  for (const url of ['//mcp', '/mcp/', '/MCP', '/mcp%2f', '/mcp;x', '/./mcp', '/open/../mcp', '/%2e/mcp']) {
    t.test(`${url} is not a way around the guard (Fastify ${version})`, async (t) => {
      for (const server of [{}, { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, caseSensitive: false }]) {
        const { app, ran } = await host(t, build, {}, version === 'newest' ? { routerOptions: server } : server)

        for (const headers of [{}, bearer('reader')]) {
          const { statusCode } = await app.inject({ method: 'POST', url, headers, payload: callTool('delete') })
          t.ok([401, 403, 404].includes(statusCode), String(statusCode))
        }
        t.notOk(ran.includes('POST'))
      }
    })
  }
}

t.test('headers that name a tool do not decide, the body does', async (t) => {
  const { app, ran } = await host(t)
  const headers = { ...bearer('reader'), 'mcp-method': 'tools/call', 'mcp-name': 'search' }

  const response = await app.inject({ method: 'POST', url: '/mcp', headers, payload: callTool('delete') })

  t.equal(response.statusCode, 403)
  t.strictSame(ran, ['preValidation'])
})

for (const name of ['Search', 'search ', 'ｓearch', 'sear\u0441h', 'search\u0000', '=?base64?c2VhcmNo?=',
  '", scope="admin", error="invalid_token', '__proto__', 'constructor', '']) {
  t.test(`${JSON.stringify(name)} is not the tool search`, async (t) => {
    const { app, ran } = await host(t)

    const response = await app.inject({ method: 'POST', url: '/mcp', headers: bearer('admin'), payload: callTool(name) })

    t.ok(response.statusCode === 403 || response.statusCode === 400)
    t.equal(response.headers['www-authenticate'], undefined)
    t.strictSame(ran, ['preValidation'])
  })
}

t.test('of two keys of one name the guard sees the one that the handler sees', async (t) => {
  const { app, ran } = await host(t)
  const payload = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","name":"delete"}}'

  const response = await app.inject({
    method: 'POST', url: '/mcp', headers: { ...bearer('reader'), 'content-type': 'application/json' }, payload
  })

  t.equal(response.statusCode, 403)
  t.strictSame(ran, ['preValidation'])
})

t.test('a notification that calls a tool is decided like a request', async (t) => {
  const { app } = await host(t)
  const { id: _id, ...payload } = callTool('delete')

  t.equal((await app.inject({ method: 'POST', url: '/mcp', headers: bearer('reader'), payload })).statusCode, 403)
})

t.test('an expired token with too little scope is 401, not 403', async (t) => {
  const { app } = await host(t)

  const response = await app.inject({ method: 'POST', url: '/mcp', headers: bearer('expired'), payload: callTool('delete') })

  t.equal(response.statusCode, 401)
})

t.test('a scope that implies the needed one is enough', async (t) => {
  const { app } = await host(t)

  t.equal((await app.inject({ method: 'POST', url: '/mcp', headers: bearer('admin'), payload: callTool('delete') })).statusCode, 200)
})

t.test('a client that leaves while the refusal goes out does not start the handler', async (t) => {
  const { app, ran } = await host(t)
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  const client = new AbortController()
  const closed = new Promise<void>((resolve) => {
    app.server.once('request', (_request, response) => {
      response.once('close', resolve)
      client.abort()
    })
  })

  await t.rejects(fetch(`${origin}/mcp`, { method: 'POST', signal: client.signal }), { name: 'AbortError' })
  await closed
  await setImmediate()

  t.strictSame(ran, [])
})

t.test('two guards in two scopes know nothing of each other', async (t) => {
  const app = buildApp(t)
  const resource = 'https://mcp.example.com/other'
  for (const options of [guardOptions(), guardOptions({ resource })]) {
    await app.register(async (scope) => {
      await scope.register(scopeGuard, options)
      scope.post(new URL(options.resource).pathname, async () => 'handled')
    })
  }
  const statusOf = async (url: string) =>
    (await app.inject({ method: 'POST', url, headers: bearer('reader'), payload: callTool('search') })).statusCode

  t.equal(await statusOf('/mcp'), 200)
  t.equal(await statusOf('/other'), 401)
})

t.test('components are replaced while the app runs, also where nobody audits', async (t) => {
  const app = buildApp(t)
  await app.register(scopeGuard, guardOptions())
  app.post('/mcp', async () => 'handled')
  const searching = () => app.inject({ method: 'POST', url: '/mcp', headers: bearer('admin'), payload: callTool('search') })
  t.equal((await searching()).statusCode, 200)

  app.mcpComponents.replace([{ tool: 'another', scopes: ['admin'] }])

  t.equal((await searching()).statusCode, 403)
})
