import type { FastifyInstance } from 'fastify'
import { buildPolicy } from '../../access/policy.js'
import { InvalidOptionError, PartOrderError } from '../../errors.js'
import type { TokenContext } from '../../oauth/token-context.js'
import { assertIssuer } from '../../protocol/issuer.js'
import { resolveLeniencies } from '../../protocol/leniencies.js'
import { isPrivateUseScheme } from '../../protocol/redirect-uri.js'
import { assertResource } from '../../protocol/resource-uri.js'
import { buildScopeModel, type ScopeModel } from '../../protocol/scopes.js'
import { endpointsOf, type Endpoints } from '../../protocol/server-metadata.js'
import type { ComponentRule } from '../../../types/access.js'
import type { OAuthRoutesOptions } from '../../../types/options.js'
import type { SignIn } from '../../../types/sign-in.js'
import type { PkceStore } from '../pkce-store.js'
import { defaultScopesOf } from '../support/default-scopes.js'
import { inOption } from '../support/in-option.js'

/** All that the endpoints share, worked out at boot. */
export interface OAuthContext {
  readonly store: PkceStore
  readonly tokens: TokenContext
  readonly issuer: string
  readonly origin: string
  readonly resource: string
  readonly resourceName: string
  readonly endpoints: Endpoints
  readonly model: ScopeModel
  readonly defaultScopes: readonly string[]
  readonly components: readonly ComponentRule[]
  readonly registration: boolean
  readonly redirectSchemes: readonly string[]
  readonly strict: boolean
  readonly signIn: SignIn
}

function signInOf (fastify: FastifyInstance, { signIn }: OAuthRoutesOptions): SignIn {
  if (signIn !== undefined) return signIn
  if (fastify.hasDecorator('mcpSignIn')) return fastify.mcpSignIn
  throw new InvalidOptionError('signIn is required: give a function, or register the built-in sign-in first')
}

function assertRedirectSchemes (schemes: readonly string[]): void {
  const wrong = schemes.findIndex((scheme) => !isPrivateUseScheme(scheme))
  if (wrong !== -1) throw new InvalidOptionError(`redirectSchemes.${wrong} must be a private-use scheme`)
}

/**
 * @throws {InvalidOptionError} whose message starts with the path of the wrong option.
 * @throws {PartOrderError} without the PKCE store.
 */
export function buildContext (fastify: FastifyInstance, options: OAuthRoutesOptions): OAuthContext {
  if (!fastify.hasDecorator('pkceStore')) throw new PartOrderError('oauthRoutes must be registered after pkceStore')
  const { issuer, resource, components = [], redirectSchemes = [], registration = true, strict = false } = options
  inOption('issuer ', () => { assertIssuer(issuer) })
  inOption('resource ', () => { assertResource(resource) })
  assertRedirectSchemes(redirectSchemes)
  const model = inOption('', () => buildScopeModel(options.scopes))
  inOption('', () => buildPolicy({ model, components }))
  const store = fastify.pkceStore
  const { clients, grants, keyring, tenant, secrets, lifetimes } = store
  const leniencies = resolveLeniencies(options.leniencies, strict)
  return Object.freeze({
    store,
    tokens: { clients, grants, keyring, issuer, resource, tenant, secrets, lifetimes, leniencies },
    issuer,
    origin: new URL(issuer).origin,
    resource,
    resourceName: options.resourceName ?? new URL(resource).host,
    endpoints: endpointsOf(issuer),
    model,
    defaultScopes: defaultScopesOf(model, options.defaultScopes),
    components,
    registration,
    redirectSchemes,
    strict,
    signIn: signInOf(fastify, options)
  })
}
