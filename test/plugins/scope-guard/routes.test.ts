import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import t from 'tap'
import { scopeGuard } from '../../../lib/plugins/scope-guard.js'
import type { ScopeGuardOptions } from '../../../types/options.js'
import { buildApp } from '../../helpers/build-app.js'
import { versions } from '../../helpers/fastify-versions.js'
import { bearer, callTool, guardOptions, ISSUER, principalWith, verifierOf } from '../../helpers/guard.js'

const served = async () => 'served'
const open = { config: { mcpSecurity: { public: true } } }

/** Registers the guard in a scope of its own, and these routes behind it. */
function guard (app: FastifyInstance, routes: (scope: FastifyInstance) => void, options: Partial<ScopeGuardOptions> = {}, prefix = '') {
  app.register(async (scope) => {
    await scope.register(scopeGuard, guardOptions(options))
    routes(scope)
  }, { prefix })
  return app
}

const post = (path = '/mcp') => (scope: FastifyInstance) => { scope.post(path, served) }

const unguarded: Record<string, (app: FastifyInstance) => unknown> = {
  'the endpoint outside of the scope': (app) => guard(app, () => {}).post('/mcp', served),
  'the endpoint in the scope before the guard': (app) => app.register(async (scope) => {
    scope.post('/mcp', served)
    await scope.register(scopeGuard, guardOptions())
  }),
  'another method of the endpoint outside of the scope': (app) => guard(app, post()).get('/mcp', served),
  'the endpoint outside of the scope, in the scope only with a slash at its end': (app) => guard(app, post('/mcp/')).post('/mcp', served),
  'the endpoint outside of the scope, in the scope only in other letters': (app) => guard(app, post('/MCP')).post('/mcp', served),
  'another method of the endpoint outside of the scope, in the scope in other letters': (app) => guard(app, (scope) => {
    scope.post('/mcp', served).get('/MCP', served)
  }).get('/mcp', served),
  'a public endpoint': (app) => guard(app, (scope) => { scope.post('/mcp', open, served) }),
  'a public endpoint with a slash at its end': (app) => guard(app, (scope) => { scope.post('/mcp', served).post('/mcp/', open, served) }),
  'a public DELETE at the endpoint': (app) => guard(app, (scope) => { scope.post('/mcp', served).delete('/mcp', open, served) }),
  'no endpoint': (app) => guard(app, () => {}),
  'an endpoint elsewhere than mcpPath says': (app) => guard(app, post('/elsewhere')),
  'an endpoint without POST': (app) => guard(app, (scope) => { scope.get('/mcp', served) })
}

for (const [what, build] of Object.entries(unguarded)) {
  t.test(`${what} stops the boot`, async (t) => {
    const app = buildApp(t)
    build(app)

    await t.rejects(async () => { await app.ready() }, { code: 'MCPS_ERR_UNGUARDED_ROUTE' })
  })
}

t.test('a host may answer preflights of the endpoint itself', async (t) => {
  const app = guard(buildApp(t), (scope) => { scope.post('/mcp', served).options('/mcp', open, served) })

  t.equal((await app.inject({ method: 'OPTIONS', url: '/mcp' })).body, 'served')
})

const wrong: Record<string, [unknown, RegExp]> = {
  'an unknown member': [{ roles: ['a'] }, /^GET \/x: config\.mcpSecurity\.roles is not an option/],
  'an unknown scope': [{ scopes: ['notes:read', 'typo'] }, /^GET \/x: config\.mcpSecurity\.scopes\.1 is not a scope/],
  'a public route that is report-only': [{ public: true, reportOnly: true }, /reportOnly cannot be given/],
  'a public route with scopes': [{ public: true, scopes: ['notes:read'] }, /scopes cannot be given/],
  'public that is no boolean': [{ public: 'yes' }, /config\.mcpSecurity\.public must be boolean/],
  'scopes that are no list': [{ scopes: 'notes:read' }, /config\.mcpSecurity\.scopes must be array/],
  'no object at all': [true, /^GET \/x: config\.mcpSecurity must be object/],
  null: [null, /^GET \/x: config\.mcpSecurity must be object/]
}

for (const [what, [mcpSecurity, message]] of Object.entries(wrong)) {
  t.test(`${what} in a route's config stops the boot`, async (t) => {
    const app = guard(buildApp(t), (scope) => {
      const config = Object.fromEntries([['mcpSecurity', mcpSecurity]])
      scope.post('/mcp', served).get('/x', { config }, served)
    })

    await t.rejects(async () => { await app.ready() }, { code: 'MCPS_ERR_INVALID_OPTION', message })
  })
}

t.test('what a route of another scope says is none of the guard\'s business', async (t) => {
  const app = guard(buildApp(t), post())
  app.get('/x', { config: Object.fromEntries([['mcpSecurity', { roles: [] }]]) }, served)

  t.equal((await app.inject('/x')).body, 'served')
})

const routers: Record<string, [string, string, FastifyServerOptions, Partial<ScopeGuardOptions>]> = {
  'at a path': ['/mcp', '', {}, {}],
  'at a longer path': ['/a/b.c/mcp', '', {}, { mcpPath: '/a/b.c/mcp' }],
  'at the root': ['/', '', {}, { resource: ISSUER, verifier: verifierOf({ reader: principalWith(['notes:read'], { resource: ISSUER }) }) }],
  'under a prefix': ['/api/mcp', '/api', {}, { mcpPath: '/api/mcp' }],
  'at the prefix itself': ['/mcp', '/mcp', {}, {}],
  'without automatic HEAD routes': ['/mcp', '', { exposeHeadRoutes: false }, {}]
}

for (const [version, build] of Object.entries(versions)) {
  for (const [where, [path, prefix, server, options]] of Object.entries(routers)) {
    t.test(`${where}, other methods are 401 without a token and 405 with one (Fastify ${version})`, async (t) => {
      const app = guard(build(t, server), (scope) => { scope.post(path.slice(prefix.length), served) }, options, prefix)

      for (const method of ['GET', 'HEAD', 'DELETE', 'PUT', 'PATCH', 'OPTIONS'] as const) {
        const closed = await app.inject({ method, url: path })
        t.equal(closed.statusCode, 401, method)
        t.match(closed.headers['www-authenticate'], /^Bearer resource_metadata=/)
        if (method !== 'HEAD') t.match(closed.json(), { jsonrpc: '2.0' })

        const refused = await app.inject({ method, url: path, headers: bearer('reader') })
        t.equal(refused.statusCode, 405, method)
        t.equal(refused.headers.allow, 'POST')
      }
    })
  }

  t.test(`the host's own routes come first, and are what Allow lists (Fastify ${version})`, async (t) => {
    const app = guard(build(t), (scope) => {
      scope.route({ method: ['POST', 'DELETE'], url: '/mcp', handler: served })
      scope.get('/mcp', served)
    })
    const headers = bearer('reader')

    t.equal((await app.inject({ method: 'GET', url: '/mcp', headers })).body, 'served')
    t.equal((await app.inject({ method: 'DELETE', url: '/mcp', headers })).body, 'served')
    t.equal((await app.inject({ method: 'PUT', url: '/mcp', headers })).headers.allow, 'DELETE, GET, HEAD, POST')
  })

  t.test(`405 comes before the body is looked at (Fastify ${version})`, async (t) => {
    const app = guard(build(t), post())

    const response = await app.inject({
      method: 'PUT', url: '/mcp', headers: { ...bearer('reader'), 'content-type': 'application/xml' }, payload: 'x'.repeat(2_000_000)
    })

    t.equal(response.statusCode, 405)
    t.match(response.json(), { jsonrpc: '2.0', id: null, error: { code: -32000 } })
  })

  t.test(`paths beside the endpoint stay the host's own (Fastify ${version})`, async (t) => {
    const app = guard(build(t), post())
    app.get('/:other', async (request) => request.params)

    t.same((await app.inject('/mcpx')).json(), { other: 'mcpx' })
    t.equal((await app.inject('/mcp/x')).statusCode, 404)
  })
}

const spellings: Record<string, [FastifyServerOptions, string, string]> = {
  'a slash at its end': [{}, '/mcp/', '/mcp/'],
  'other letters in a router without case': [{ routerOptions: { caseSensitive: false } }, '/MCP', '/mCp'],
  'two slashes': [{}, '//mcp', '//mcp']
}

for (const [what, [server, pattern, url]] of Object.entries(spellings)) {
  t.test(`the endpoint mounted once more with ${what} asks for the same scopes`, async (t) => {
    const app = guard(buildApp(t, server), (scope) => {
      scope.post('/mcp', served)
      if (server.routerOptions === undefined) scope.post(pattern, served)
    })

    const response = await app.inject({ method: 'POST', url, headers: bearer('reader'), payload: callTool('delete') })

    t.equal(response.statusCode, 403)
  })
}

t.test('an error handler that the host gives the route stays', async (t) => {
  const app = guard(buildApp(t), (scope) => {
    scope.post('/mcp', { errorHandler: (_error, _request, reply) => reply.code(418).send('of the host') }, served)
  })

  const response = await app.inject({
    method: 'POST', url: '/mcp', headers: { ...bearer('reader'), 'content-type': 'application/json' }, payload: '{'
  })

  t.equal(response.body, 'of the host')
})
