import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { CorsOptions } from '../../types/options.js'
import type { CorsPolicy } from '../../types/fastify.js'
import { InvalidOptionError } from '../errors.js'
import { assertOptions, schemas } from '../options.js'
import { buildOriginList, isListedOrigin } from '../protocol/allow-lists.js'
import { guardedCors, guardedPreflight, PUBLIC_CORS, PUBLIC_PREFLIGHT } from '../protocol/cors.js'
import { carryHeaders } from './support/carry-headers.js'
import { inOption } from './support/in-option.js'

// Not the type of the origin guard's own file: a part that is imported alone must not declare what it does not bring.
const hasOriginGuard = (fastify: FastifyInstance): fastify is FastifyInstance & { mcpOrigins: ReadonlySet<string> } =>
  fastify.hasDecorator('mcpOrigins')

/** The list of the origin guard where that is registered (TR-12), or else the part's own. */
function originsOf (fastify: FastifyInstance, { origins = [] }: CorsOptions): ReadonlySet<string> {
  const own = inOption('cors.', () => buildOriginList(origins))
  if (!hasOriginGuard(fastify)) return own
  const refused = [...own].find((origin) => !fastify.mcpOrigins.has(origin))
  if (refused !== undefined) throw new InvalidOptionError(`cors.origins holds ${refused}, which originGuard refuses`)
  return fastify.mcpOrigins
}

function policyOf (request: FastifyRequest): CorsPolicy | 'listed' {
  const config = request.routeOptions.config
  return config?.mcpSecurity?.public === true ? config.mcpCors ?? 'none' : 'listed'
}

const isPreflight = ({ method, headers }: FastifyRequest): boolean =>
  method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined

function addVary (reply: FastifyReply): void {
  const there = reply.getHeader('vary')
  reply.header('vary', there === undefined ? 'Origin' : `${String(there)}, Origin`)
}

const sendPreflight = (reply: FastifyReply, headers: Readonly<Record<string, string>>): FastifyReply =>
  reply.code(204).headers(headers).send()

const corsPlugin: FastifyPluginAsync<CorsOptions> = async (fastify, options) => {
  assertOptions(schemas.cors, options, 'cors')
  const origins = originsOf(fastify, options)

  fastify.addHook('onRequest', (request, reply, done) => {
    const { origin, 'access-control-request-headers': asked } = request.headers
    // No web page, and nothing that a cache would keep for one.
    if (origin === undefined && request.method === 'POST') return done()

    const policy = policyOf(request)
    if (policy === 'none') return done()
    if (policy === 'public') {
      if (isPreflight(request)) { sendPreflight(reply, PUBLIC_PREFLIGHT); return }
      reply.headers(PUBLIC_CORS)
      return done()
    }
    addVary(reply)
    if (origin === undefined || !isListedOrigin(origins, origin)) return done()
    if (isPreflight(request)) { sendPreflight(reply, guardedPreflight(origin, asked)); return }
    reply.headers(guardedCors(origin))
    return done()
  })
  carryHeaders(fastify)
}

/**
 * Lets web pages read answers (TR-12): those of guarded routes, refusals and hijacked replies included, to listed
 * origins; those of open routes as their `config.mcpCors` says. Preflights are answered without authentication, where
 * a route takes `OPTIONS`. Cookies are never allowed along.
 *
 * Refuses nothing: register `originGuard` before it, whose list it shares.
 *
 * @throws {InvalidOptionError} `MCPS_ERR_INVALID_OPTION` at boot; the message starts with the option's path.
 */
export const cors = fp(corsPlugin, { name: 'mcp-security-cors', fastify: '5.x' })
export default cors
export type { CorsPolicy, RouteSecurity } from '../../types/fastify.js'
export type { CorsOptions } from '../../types/options.js'
