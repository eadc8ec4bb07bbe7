import type { FastifyInstance } from 'fastify'
import { InvalidOptionError, PartOrderError } from '../../errors.js'
import { createClientDocuments, withDocuments, type ClientDocuments } from '../../oauth/client-documents.js'
import type { Clients } from '../../oauth/clients.js'
import { clientCredentialsGrant } from '../../oauth/client-credentials-grant.js'
import { codeGrant } from '../../oauth/code-grant.js'
import type { DirectRules } from '../../oauth/direct-grant.js'
import { createPushedRequests, type PushedRequests } from '../../oauth/pushed-requests.js'
import { refreshGrant } from '../../oauth/refresh-grant.js'
import { createSenderReader } from '../../oauth/sender-binding.js'
import type { TokenContext } from '../../oauth/token-context.js'
import { assertIssuer, isLoopbackHost } from '../../protocol/issuer.js'
import { resolveLeniencies } from '../../protocol/leniencies.js'
import { isPublicAddress } from '../../protocol/public-address.js'
import { isPrivateUseScheme } from '../../protocol/redirect-uri.js'
import type { SenderMetadata } from '../../protocol/resource-metadata.js'
import { assertResource } from '../../protocol/resource-uri.js'
import { buildScopeModel, type ScopeModel } from '../../protocol/scopes.js'
import { TAG_LIMITS } from '../../protocol/tags.js'
import { endpointsOf, type Endpoints } from '../../protocol/server-metadata.js'
import type { DpopSettings } from '../../tokens/dpop-settings.js'
import type { TagLimits } from '../../../types/access.js'
import type { OAuthRoutesOptions } from '../../../types/options.js'
import type { SignIn } from '../../../types/sign-in.js'
import type { PkceStore } from '../pkce-store.js'
import { defaultScopesOf } from '../support/default-scopes.js'
import { dpopSettings } from '../support/dpop-settings.js'
import { inOption } from '../support/in-option.js'
import { certificateSource } from '../support/client-certificate.js'
import { buildLivePolicy, sharedLivePolicy, type LivePolicy } from '../support/live-policy.js'
import { senderMetadataOf } from '../support/sender-metadata.js'
import { clientRequests, type ClientRequestOf } from './client-request.js'

/** What the token endpoint can do, in the order of the metadata. */
function grantTypesOf (rules: DirectRules): TokenContext['grantTypes'] {
  return new Map([
    ['authorization_code', codeGrant],
    ['refresh_token', refreshGrant],
    ['client_credentials', clientCredentialsGrant(rules)]
  ])
}

/** All that the endpoints share, worked out at boot. */
export interface OAuthContext {
  readonly store: PkceStore
  readonly tokens: TokenContext
  /** Those of the store, and those with a document. */
  readonly clients: Clients
  /** `null` when clients may not bring a document. */
  readonly documents: ClientDocuments | null
  /** `null` when requests cannot be sent ahead. */
  readonly pushed: { readonly requests: PushedRequests, readonly mode: 'optional' | 'required' } | null
  readonly issuer: string
  readonly origin: string
  readonly resource: string
  readonly resourceName: string
  readonly endpoints: Endpoints
  readonly model: ScopeModel
  readonly defaultScopes: readonly string[]
  /** As they are at the moment. */
  readonly components: Pick<LivePolicy, 'policy' | 'tagsOf' | 'onReplace'>
  /** Whether grants are pinned to what the consent page says: not where it knows no components at all. */
  readonly pinned: boolean
  readonly tagLimits: TagLimits
  /** The scopes of tags that the metadata names at the moment. */
  advertisedTags (): readonly string[]
  readonly registration: boolean
  readonly redirectSchemes: readonly string[]
  readonly strict: boolean
  /** What the resource takes besides bearer tokens. */
  readonly sender: SenderMetadata
  /** `null` where DPoP proofs mean nothing. */
  readonly dpop: DpopSettings | null
  readonly signIn: SignIn
  readonly clientRequestOf: ClientRequestOf
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

function pushedOf (store: PkceStore, { pushedRequests: mode = 'optional' }: OAuthRoutesOptions): OAuthContext['pushed'] {
  if (mode === 'off') return null
  return { requests: createPushedRequests(store), mode }
}

function documentsOf ({ records, tenant, lifetimes }: PkceStore, options: OAuthRoutesOptions): ClientDocuments | null {
  const { clientDocuments = {}, redirectSchemes: schemes = [] } = options
  if (clientDocuments === false) return null
  const { allow, agent, loopback = false } = clientDocuments
  return createClientDocuments({
    records,
    tenant,
    lifetimes,
    schemes,
    ...(allow === undefined ? {} : { allow }),
    fetch: {
      ...(agent === undefined ? {} : { agent }),
      ...(loopback ? { isAllowed: (address) => isPublicAddress(address) || isLoopbackHost(address) } : {})
    }
  })
}

/** Its own, or else those of the guard of this resource. */
function componentsOf (fastify: FastifyInstance, options: OAuthRoutesOptions): LivePolicy {
  const shared = options.components === undefined ? sharedLivePolicy(fastify.server, options.resource) : undefined
  if (shared === undefined) return buildLivePolicy(options)
  if (options.servers === undefined) return shared
  throw new InvalidOptionError('servers cannot be given without components: those of the guard have theirs')
}

/**
 * @throws {InvalidOptionError} whose message starts with the path of the wrong option.
 * @throws {PartOrderError} without the PKCE store.
 */
export function buildContext (fastify: FastifyInstance, options: OAuthRoutesOptions): OAuthContext {
  if (!fastify.hasDecorator('pkceStore')) throw new PartOrderError('oauthRoutes must be registered after pkceStore')
  const { issuer, resource, redirectSchemes = [], registration = true, strict = false } = options
  const { clientCertificate: certificate } = options
  inOption('issuer ', () => { assertIssuer(issuer) })
  inOption('resource ', () => { assertResource(resource) })
  assertRedirectSchemes(redirectSchemes)
  const components = componentsOf(fastify, options)
  const model = inOption('', () => buildScopeModel(options.scopes, () => components.policy().tags))
  const store = fastify.pkceStore
  const { grants, keyring, tenant, secrets, lifetimes, accessTokenFormat } = store
  const documents = documentsOf(store, options)
  const clients = documents === null ? store.clients : withDocuments(store.clients, documents)
  const leniencies = resolveLeniencies(options.leniencies, strict)
  const defaultScopes = defaultScopesOf(model, options.defaultScopes)
  const tagLimits = { ...TAG_LIMITS, ...options.tagLimits }
  const dpop = dpopSettings(fastify, options.dpop, secrets)
  const endpoints = endpointsOf(issuer)
  return Object.freeze({
    store,
    tokens: {
      clients,
      grants,
      keyring,
      issuer,
      resource,
      tenant,
      secrets,
      lifetimes,
      accessTokenFormat,
      leniencies,
      grantTypes: grantTypesOf({ resources: [{ resource, model, defaultScopes }], tagLimits, ...leniencies }),
      readSender: createSenderReader({ url: endpoints.token.url, dpop })
    },
    clients,
    documents,
    pushed: pushedOf(store, options),
    issuer,
    origin: new URL(issuer).origin,
    resource,
    resourceName: options.resourceName ?? new URL(resource).host,
    endpoints,
    model,
    defaultScopes,
    components,
    pinned: options.components !== undefined || sharedLivePolicy(fastify.server, resource) !== undefined,
    tagLimits,
    advertisedTags: options.advertiseTags === false ? () => [] : components.advertised,
    registration,
    redirectSchemes,
    strict,
    sender: senderMetadataOf(options),
    dpop,
    signIn: signInOf(fastify, options),
    clientRequestOf: clientRequests(certificate === undefined ? null : certificateSource(certificate))
  })
}
