import type { FastifyPluginAsync } from 'fastify'
import { InvalidOptionError } from '../../errors.js'
import { assertOptions, schemas } from '../../options.js'
import type { OAuthRoutesOptions } from '../../../types/options.js'
import { acceptForms, acceptJson } from '../support/body-parsers.js'
import { openToOrigins } from '../support/open-cors.js'
import { assertOwnTenant } from '../support/server-documents.js'
import { authorizationEndpoint } from './authorize.js'
import { consentEndpoint } from './consent.js'
import { buildContext, type OAuthContext } from './context.js'
import { deviceAuthorizationEndpoint } from './device-authorization.js'
import { deviceEndpoint } from './device.js'
import { discovery } from './discovery.js'
import { bringNonces } from './dpop-nonce.js'
import { introspectionEndpoint } from './introspect.js'
import { pushEndpoint } from './push.js'
import { managementEndpoint } from './manage-registration.js'
import { noRegistration, registrationEndpoint } from './register.js'
import { registrationPolicy } from './registration-policy.js'
import { revocationEndpoint } from './revoke.js'
import { tokenEndpoint } from './token.js'

/** `null` where clients cannot register. */
function registrationOf ({ registration = true }: OAuthRoutesOptions, context: OAuthContext) {
  if (registration === false) return null
  const rules = registration === true ? {} : registration
  return { policy: registrationPolicy(rules, context), management: rules.management === true }
}

/**
 * The endpoints of an OAuth 2.1 authorization server for MCP, at the issuer's path: `/authorize` and its consent page,
 * `/token`, `/register`, `/revoke`, `/introspect`, `/par`, and the documents under `/.well-known` that clients of every
 * revision since 2025-03-26 look for. Register it after `pkceStore`, and after the built-in sign-in when there is no
 * `signIn`.
 *
 * ```ts
 * await app.register(oauthRoutes, { issuer, resource, scopes, signIn: (request) => request.session.user ?? null })
 * ```
 *
 * Every route is public; parsers, error handlers and hooks stay inside. Nothing is taken from `Host`: the app may run
 * behind any proxy, but has to be reachable at `issuer`. It does *not* limit how often it is asked (`rateLimits` does)
 * and knows no users (`signIn` does).
 *
 * @throws {InvalidOptionError} `MCPS_ERR_INVALID_OPTION` at boot; the message starts with the option's path.
 * @throws {PartOrderError} `MCPS_ERR_PART_ORDER` at boot without `pkceStore`.
 */
export const oauthRoutes: FastifyPluginAsync<OAuthRoutesOptions> = async (fastify, options) => {
  if (fastify.prefix !== '') {
    throw new InvalidOptionError('prefix cannot be given to oauthRoutes: the endpoints live at the path of issuer')
  }
  assertOptions(schemas.oauthRoutes, options)
  const context = buildContext(fastify, options)
  assertOwnTenant(context.store, context.issuer)
  const registration = registrationOf(options, context)

  await fastify.register(async (scope) => { discovery(scope, context) })
  await fastify.register(async (scope) => {
    acceptForms(scope)
    scope.addHook('onRequest', openToOrigins)
    bringNonces(scope, context)
    tokenEndpoint(scope, context)
    revocationEndpoint(scope, context)
    introspectionEndpoint(scope, context)
    if (context.pushed !== null) pushEndpoint(scope, context, context.pushed.requests)
    if (context.devices !== null) deviceAuthorizationEndpoint(scope, context, context.devices)
  })
  await fastify.register(async (scope) => {
    acceptJson(scope)
    scope.addHook('onRequest', openToOrigins)
    if (registration === null) noRegistration(scope, context)
    else registrationEndpoint(scope, context, registration)
  })
  if (registration?.management === true) {
    await fastify.register(async (scope) => {
      acceptJson(scope)
      managementEndpoint(scope, context, registration.policy)
    })
  }
  await fastify.register(async (scope) => {
    acceptForms(scope)
    authorizationEndpoint(scope, context)
    consentEndpoint(scope, context)
    if (context.devices !== null) deviceEndpoint(scope, context, context.devices)
  })
}
export default oauthRoutes
export type { OAuthRoutesOptions } from '../../../types/options.js'
