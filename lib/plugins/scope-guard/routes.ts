import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { UnguardedRouteError } from '../../errors.js'
import { answerBodyErrors } from './body-errors.js'
import { methodRefusal, sendRefusal } from './refusals.js'
import { reportUnread } from './report.js'
import { assertRouteSecurity, methodsOf } from './route-security.js'
import type { Settings } from './settings.js'

/** Whether a route of the guarded scope is the MCP endpoint. Takes the route's pattern, never the URL of a request. */
export type IsMcp = (pattern: string | undefined) => boolean

/** Behind a path: a parameter that is always empty. The router tries such a pattern after the path itself. */
const REST = ':none(^$)'

// A preflight has no credentials: a host may answer those of its MCP endpoint itself.
const PREFLIGHT = 'OPTIONS'

/** Patterns that may catch the same path, however the router is set up, have the same normal form. */
const normal = (path: string): string => path.toLowerCase().replace(/\/+/g, '/').replace(/(.)\/$/, '$1')

function matcher (mcpPath: string): IsMcp {
  const mcp = normal(mcpPath)
  const known = new Map<string, boolean>([[mcpPath + REST, true]])
  return (pattern = '') => {
    const found = known.get(pattern)
    if (found !== undefined) return found
    const isMcp = normal(pattern) === mcp
    known.set(pattern, isMcp)
    return isMcp
  }
}

/**
 * Answers 405 with `Allow` for the methods that the host does not serve at the MCP endpoint, before a body is read. It
 * stands in the guarded scope, so that they are answered 401 without a token: mcp-remote opens with GET.
 */
function refuseOtherMethods (fastify: FastifyInstance, mcpPath: string, allow: () => string): void {
  const refuse = (request: FastifyRequest, reply: FastifyReply): void => {
    reportUnread(request, 'status 405')
    sendRefusal(reply, methodRefusal(allow()), { rpc: true, id: null })
  }
  fastify.route({
    method: fastify.supportedMethods.filter((method) => method !== 'HEAD'),
    exposeHeadRoute: true,
    url: mcpPath.slice(fastify.prefix.length) + REST,
    config: { mcpName: mcpPath },
    onRequest: refuse,
    handler: refuse
  })
}

/**
 * Watches the routes of the scope at boot, and stops the boot when the MCP endpoint escapes the guard: when it is
 * public, when it was registered outside of the scope or before the guard, and when it is not there. Does not see a
 * route outside that has `constraints`.
 * @throws {UnguardedRouteError}
 */
export function guardRoutes (fastify: FastifyInstance, settings: Settings): IsMcp {
  const { mcpPath } = settings
  const { model } = settings.policy()
  const isMcp = matcher(mcpPath)
  const guarded = new Set<string>()

  function watch (route: RouteOptions): void {
    assertRouteSecurity(route, model)
    if (!isMcp(route.url)) return
    const methods = methodsOf(route)
    if (route.config?.mcpSecurity?.public === true && methods.some((method) => method !== PREFLIGHT)) {
      throw new UnguardedRouteError(`${methods.join(', ')} ${route.url} is the MCP endpoint and cannot be public`)
    }
    route.errorHandler ??= answerBodyErrors
    // Another spelling does not vouch for this one: that may still be outside.
    if (route.url !== mcpPath) return
    for (const method of methods) guarded.add(method)
  }

  refuseOtherMethods(fastify, mcpPath, () => [...guarded].sort().join(', '))
  fastify.addHook('onRoute', watch)
  fastify.addHook('onReady', async () => {
    const outside = fastify.supportedMethods.find((method) =>
      method !== PREFLIGHT && !guarded.has(method) && fastify.hasRoute({ method, url: mcpPath }))
    if (outside !== undefined) {
      throw new UnguardedRouteError(`${outside} ${mcpPath} is registered outside of the guarded scope, before the guard or in another spelling: await the guard, then add it`)
    }
    if (!guarded.has('POST')) {
      throw new UnguardedRouteError(`the guarded scope has no route POST ${mcpPath}: mcpPath must be where the MCP endpoint is mounted`)
    }
  })
  return isMcp
}
