import fp from 'fastify-plugin'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import type { OriginGuardSetup } from '../../types/options.js'
import { assertOptions, schemas } from '../options.js'
import { buildHostCheck, buildOriginList, isListedOrigin, readHosts } from '../protocol/allow-lists.js'
import { assertIssuer } from '../protocol/issuer.js'
import { assertResource } from '../protocol/resource-uri.js'
import { inOption } from './support/in-option.js'
import { recordEvent } from './support/record-event.js'
import { refuse } from './support/refuse.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** The origins that may call the MCP endpoint; the CORS part answers by the same list. */
    readonly mcpOrigins: ReadonlySet<string>
  }
}

const isPublic = (request: FastifyRequest): boolean => request.routeOptions.config?.mcpSecurity?.public === true

const originGuardPlugin: FastifyPluginAsync<OriginGuardSetup> = async (fastify, options) => {
  const { issuer, resource, ...lists } = options
  assertOptions(schemas.originGuard, lists, 'originGuard')
  inOption('issuer ', () => { assertIssuer(issuer) })
  inOption('resource ', () => { assertResource(resource) })
  const own = { issuer, resource }
  const origins = inOption('originGuard.', () => buildOriginList(lists.origins ?? [], own))
  const isOurHost = inOption('originGuard.', () => buildHostCheck(lists.hosts ?? [], own))

  fastify.decorate('mcpOrigins', origins)

  /** Says why a request is refused, or `null`. */
  function objection (request: FastifyRequest): string | null {
    const { raw: { rawHeaders }, originalUrl, headers: { origin } } = request
    const hosts = readHosts(rawHeaders, originalUrl)
    if (hosts === null) return 'malformed host'
    if (!hosts.every(isOurHost)) return 'foreign host'
    if (origin === undefined || isPublic(request) || isListedOrigin(origins, origin)) return null
    return 'foreign origin'
  }

  fastify.addHook('onRequest', (request, reply, done) => {
    const reason = objection(request)
    if (reason === null) return done()
    recordEvent(request, { type: 'origin.refused', reason })
    refuse(request, reply, {
      status: 403,
      code: 'invalid_request',
      description: reason === 'foreign origin' ? 'The origin is not allowed' : 'The host is not allowed',
      title: 'Wrong address'
    })
  })
}

/**
 * Refuses, with 403 and before anything else, requests that name a host that is not ours, and requests to guarded
 * routes from web pages whose origin is not listed: what a page does to a server on the user's machine or network by
 * DNS rebinding (TR-1, TR-2). A request without `Origin` does not come from a page and passes.
 *
 * Open routes may be called from every origin: those that read cookies have to refuse forged forms themselves.
 *
 * @throws {InvalidOptionError} `MCPS_ERR_INVALID_OPTION` at boot; the message starts with the option's path.
 */
export const originGuard = fp(originGuardPlugin, { name: 'mcp-security-origin-guard', fastify: '5.x' })
export default originGuard
export type { RouteSecurity } from '../../types/fastify.js'
export type { OriginGuardOptions, OriginGuardSetup } from '../../types/options.js'
