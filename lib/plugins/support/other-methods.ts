import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { OAuthError } from '../../protocol/oauth-error.js'

/**
 * Refuses every method of a route that is not in `allow` with 405 and `Allow`, before a body is read. Methods that
 * Fastify does not route stay with the host's own 404.
 */
export function refuseOtherMethods (scope: FastifyInstance, route: {
  readonly url: string
  readonly allow: readonly string[]
  readonly config?: RouteOptions['config']
  readonly errorHandler: NonNullable<RouteOptions['errorHandler']>
}): void {
  const { url, config, errorHandler } = route
  const allow = route.allow.join(', ')
  const refuse = async (_request: FastifyRequest, reply: FastifyReply): Promise<never> => {
    reply.header('allow', allow)
    throw new OAuthError({ code: 'invalid_request', description: `only ${allow} can be used here`, reason: 'method not allowed', status: 405 })
  }
  scope.route({
    method: scope.supportedMethods.filter((method) => !route.allow.includes(method)),
    url,
    exposeHeadRoute: false,
    config: { ...config, mcpSecurity: { public: true } },
    onRequest: refuse,
    handler: refuse,
    errorHandler
  })
}
