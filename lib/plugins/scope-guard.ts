import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import type { AuthInfo } from '../../types/auth-info.js'
import type {} from '../../types/fastify.js'
import type { Authentication, Components } from '../../types/guard.js'
import type { Handles } from '../../types/handles.js'
import type { ScopeGuardOptions } from '../../types/options.js'
import type { Principal } from '../../types/principal.js'
import { ADMISSION, buildReadmit } from './scope-guard/admission.js'
import { buildAuthenticate } from './scope-guard/authenticate.js'
import { buildAuthorize } from './scope-guard/authorize.js'
import { buildChallenges } from './scope-guard/refusals.js'
import { decorateHandles } from './scope-guard/request-handles.js'
import { guardRoutes } from './scope-guard/routes.js'
import { readSettings } from './scope-guard/settings.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who the request acts for. `null` only on a route that is public. */
    mcpAuth: Principal | null
    /** Handles for state that clients carry around: good for the caller only. Reading it throws on a public route. */
    readonly mcpHandles: Handles
  }
  interface FastifyInstance {
    /** Whether requests need a token, to be seen and to be switched. */
    mcpAuthentication: Authentication
    /** What the server has, to be replaced at run time. */
    mcpComponents: Components
  }
}

declare module 'node:http' {
  interface IncomingMessage {
    /** Who the request acts for, as the request handlers of the MCP SDK read it. */
    auth?: AuthInfo
  }
}

function reportReplacement (fastify: FastifyInstance, resource: string): void {
  fastify.log.info('components replaced')
  if (!fastify.hasDecorator('mcpAudit')) return
  fastify.mcpAudit({ type: 'configuration.changed', operation: 'components replaced', resource })
}

const scopeGuardPlugin: FastifyPluginAsync<ScopeGuardOptions> = async (fastify, options) => {
  const settings = await readSettings(fastify, options)
  const challenges = buildChallenges(settings)
  fastify.decorateRequest('mcpAuth', null)
  fastify.decorateRequest(ADMISSION, null)
  const { authentication, components, resource } = settings
  fastify.decorate('mcpAuthentication', {
    get enabled () { return authentication.enabled },
    set: authentication.set
  })
  decorateHandles(fastify, settings.bindings)
  fastify.decorate('mcpComponents', {
    get tags () { return [...components.policy().tags] },
    replace: components.replace
  })
  components.onReplace(() => { reportReplacement(fastify, resource) })
  const isMcp = guardRoutes(fastify, settings)
  fastify.addHook('onRequest', buildAuthenticate({ settings, challenges, isMcp }))
  fastify.addHook('preHandler', buildReadmit({ settings, challenges, isMcp }))
  fastify.addHook('preHandler', buildAuthorize({ settings, challenges, isMcp }))
}

/**
 * Guards every route of the scope in which it is registered, HEAD included, whether it was added before or after:
 * without a good access token nothing of it runs. `config.mcpSecurity` of a route leaves it open (`public: true`) or
 * names the `scopes` it needs; at the MCP endpoint each message needs the scopes of the tool, prompt or resource that
 * it names (`components`), and a method or component that is not known there is denied to everybody.
 *
 * - 401 with a challenge comes before 405, 415, 413 and everything else about a request (requirements 0).
 * - 403 `insufficient_scope` names all scopes that are needed at once, with those that the token has (RS-23, RS-24).
 * - 403 without a challenge, JSON-RPC -32601 or -32602, for what no token would open; that a component exists is
 *   not told apart from that it has no rule.
 * - 503 with `Retry-After` when a token cannot be checked (RS-16).
 *
 * Handlers find the caller in `request.mcpAuth` and, for those of the MCP SDK, in `request.raw.auth`. Does *not* look
 * at `Origin` or `Host` (`originGuard`), and does not know which of a user's data a tool may touch (RS-30).
 *
 * ```ts
 * const components = [{ tool: 'search', scopes: ['mcp:read'] }]
 * await scope.register(scopeGuard, { issuer, resource, scopes, components })
 * scope.post('/mcp', handler)
 * ```
 *
 * @throws {InvalidOptionError} `MCPS_ERR_INVALID_OPTION` at boot, also for what a route says in `config.mcpSecurity`.
 * @throws {PartOrderError} `MCPS_ERR_PART_ORDER` at boot with neither `verifier` nor `pkceStore` before it.
 * @throws {UnguardedRouteError} `MCPS_ERR_UNGUARDED_ROUTE` at boot when the MCP endpoint is public, outside of the
 * scope, registered before the guard, or missing.
 */
export const scopeGuard = fp(scopeGuardPlugin, { name: 'mcp-security-scope-guard', fastify: '5.x' })
export default scopeGuard
export { StoreUnavailableError } from '../stores/errors.js'
export { InvalidTokenError } from '../tokens/errors.js'
export type { AuthInfo } from '../../types/auth-info.js'
export type { ComponentRule, ScopeCatalogue } from '../../types/access.js'
export type { AccessCheck, AccessInput, Authentication, AuthenticationOptions, Components } from '../../types/guard.js'
export type { Handles } from '../../types/handles.js'
export type { RouteSecurity } from '../../types/fastify.js'
export type { ScopeGuardOptions } from '../../types/options.js'
export type { Principal, TokenVerifier } from '../../types/principal.js'
