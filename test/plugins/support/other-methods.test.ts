import t from 'tap'
import { OAuthError } from '../../../lib/protocol/oauth-error.js'
import { refuseOtherMethods } from '../../../lib/plugins/support/other-methods.js'
import { versions } from '../../helpers/fastify-versions.js'

for (const [version, build] of Object.entries(versions)) {
  t.test(`Fastify ${version}: other methods are refused before their body is read`, async (t) => {
    const app = build(t)
    const route = { method: 'POST', url: '/token', handler: async () => 'posted' } as const
    app.route(route)
    refuseOtherMethods(app, {
      url: '/token',
      allow: ['POST', 'OPTIONS'],
      config: { mcpCors: 'public' },
      errorHandler: (error, request, reply) => {
        t.ok(error instanceof OAuthError)
        t.same(request.routeOptions.config, { ...request.routeOptions.config, mcpCors: 'public', mcpSecurity: { public: true } })
        return reply.code(error.statusCode ?? 405).send({ error: 'mine' })
      }
    })

    for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'TRACE'] as const) {
      const answer = await app.inject({ method, url: '/token', headers: { 'content-type': 'no/such' }, payload: 'x' })
      t.match(answer, { statusCode: 405, headers: { allow: 'POST, OPTIONS' } }, method)
    }
    t.equal((await app.inject({ method: 'POST', url: '/token' })).body, 'posted')
    t.equal((await app.inject({ method: 'OPTIONS', url: '/token' })).statusCode, 404)
  })
}
