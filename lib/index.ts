import fp from 'fastify-plugin'
import type { FastifyPluginAsync } from 'fastify'
import type { McpSecurityOptions } from '../types/options.js'
import { InvalidOptionError } from './errors.js'
import { assertOptions, schemas } from './options.js'
import { auditHook } from './plugins/audit-hook.js'
import { cors } from './plugins/cors.js'
import { oauthRoutes } from './plugins/oauth-routes/index.js'
import { originGuard } from './plugins/origin-guard.js'
import { pkceStore } from './plugins/pkce-store.js'
import { rateLimits } from './plugins/rate-limits.js'
import { scopeGuard } from './plugins/scope-guard.js'
import { securityHeaders } from './plugins/security-headers.js'
import { signIn } from './plugins/sign-in/index.js'

const ONE_YEAR = 31_536_000

/** The members that are there, so that a part sees what was left out as left out. */
function only<T extends object, K extends keyof T> (options: T, names: readonly K[]): Pick<T, K> {
  const there = names.filter((name) => options[name] !== undefined)
  return Object.fromEntries(there.map((name) => [name, options[name]])) as Pick<T, K>
}

const storeOptions = (options: McpSecurityOptions) => only(options, [
  'store', 'secrets', 'tenant', 'signingAlgorithm', 'keyRotation', 'signers', 'accessTokenFormat', 'lifetimes', 'clients',
  'maxClients', 'maxClientsPerNetwork', 'pruneInterval', 'clock'])

const guardOptions = (options: McpSecurityOptions) => only(options, [
  'issuer', 'resource', 'scopes', 'defaultScopes', 'components', 'mcpPath', 'protocolVersions', 'rememberedTokens',
  'recheck', 'clock', 'access', 'reportOnly', 'hideDenied', 'authentication', 'servers', 'tagLimits', 'advertiseTags',
  'tasks', 'stateLifetime', 'streamRecheck',
  'dpop', 'clientCertificate', 'requireSenderConstraint'])

const routesOptions = (options: McpSecurityOptions) => only(options, [
  'issuer', 'resource', 'resourceName', 'resources', 'authorizationDetails', 'scopes', 'defaultScopes', 'tagLimits', 'advertiseTags', 'signIn',
  'clientDocuments', 'clientKeys', 'certificateOrigin', 'pushedRequests', 'assertionIssuers', 'tokenExchange', 'grantTypes',
  'registration', 'deviceAuthorization', 'redirectSchemes', 'leniencies', 'strict', 'dpop', 'clientCertificate', 'requireSenderConstraint'])

function assertConsistent (options: McpSecurityOptions): void {
  assertOptions(schemas.mcpSecurity, options)
  if (options.signIn !== undefined && options.accounts) {
    throw new InvalidOptionError('accounts cannot be given together with signIn: the host knows its own users')
  }
  if (options.signIn === undefined && options.accounts === false) {
    throw new InvalidOptionError('signIn is required when accounts is false: nobody could sign in')
  }
}

const mcpSecurityPlugin: FastifyPluginAsync<McpSecurityOptions> = async (fastify, options) => {
  assertConsistent(options)
  const { issuer, resource, audit = {}, originGuard: origins = {}, rateLimits: limits = {}, accounts = {} } = options
  const { securityHeaders: headers = {} } = options
  const hstsMaxAge = issuer.startsWith('https:') ? ONE_YEAR : 0

  if (audit !== false) await fastify.register(auditHook, { ...audit, ...only(options, ['tenant', 'clock']) })
  if (headers !== false) await fastify.register(securityHeaders, { hstsMaxAge, ...headers })
  if (origins !== false) {
    await fastify.register(originGuard, { ...origins, issuer, resource })
    await fastify.register(cors, origins.origins === undefined ? {} : { origins: origins.origins })
  }
  if (limits !== false) await fastify.register(rateLimits, { ...limits, ...only(options, ['clock']) })
  await fastify.register(pkceStore, storeOptions(options))
  if (options.signIn === undefined && accounts !== false) {
    await fastify.register(signIn, { ...accounts, issuer, ...only(options, ['resourceName']) })
  }
  await fastify.register(scopeGuard, guardOptions(options))
  await fastify.register(oauthRoutes, routesOptions(options))
}

/**
 * Secures the scope in which it is registered: OAuth 2.1 endpoints at the origin's root, and on every other route of
 * the scope authentication, scopes, origin and host checks, rate limits, response headers and audit events.
 *
 * Registers the parts in the one order that is right and adds nothing else; examples/composed.ts does the same by
 * hand. Every route of the scope is guarded unless its config says `mcpSecurity: { public: true }`.
 *
 * @throws {InvalidOptionError} `MCPS_ERR_INVALID_OPTION` at boot; the message starts with the option's path.
 * @throws {UnguardedRouteError} `MCPS_ERR_UNGUARDED_ROUTE` at boot when the MCP route escapes the guard.
 */
export const mcpSecurity = fp(mcpSecurityPlugin, { name: 'mcp-security', fastify: '5.x' })
export default mcpSecurity
export type { McpSecurityOptions } from '../types/options.js'
export type { Principal } from '../types/principal.js'
export type { SignIn, SignedInUser } from '../types/sign-in.js'
