import type { FastifyInstance } from 'fastify'
import { InvalidOptionError, PartOrderError } from '../../errors.js'
import { assertionRules } from '../../oauth/client-assertion.js'
import { createClientDocuments, withDocuments, type ClientDocuments } from '../../oauth/client-documents.js'
import { createClientKeys } from '../../oauth/client-keys.js'
import type { Clients } from '../../oauth/clients.js'
import { createDeviceAuthorizations, type DeviceAuthorizations } from '../../oauth/device-authorizations.js'
import { createPushedRequests, type PushedRequests } from '../../oauth/pushed-requests.js'
import { createSenderReader } from '../../oauth/sender-binding.js'
import type { TokenContext } from '../../oauth/token-context.js'
import type { PublicFetchOptions } from '../../tokens/public-fetch.js'
import { assertIssuer, isLoopbackHost } from '../../protocol/issuer.js'
import { resolveLeniencies } from '../../protocol/leniencies.js'
import { isPublicAddress } from '../../protocol/public-address.js'
import { isPrivateUseScheme } from '../../protocol/redirect-uri.js'
import type { ScopeModel } from '../../protocol/scopes.js'
import { TAG_LIMITS } from '../../protocol/tags.js'
import { endpointsOf, type Endpoints } from '../../protocol/server-metadata.js'
import type { DpopSettings } from '../../tokens/dpop-settings.js'
import type { TagLimits } from '../../../types/access.js'
import type { ClientKeysOptions, OAuthRoutesOptions } from '../../../types/options.js'
import type { SignIn } from '../../../types/sign-in.js'
import type { PkceStore } from '../pkce-store.js'
import { addressKeys } from '../support/address-key.js'
import { dpopSettings } from '../support/dpop-settings.js'
import { inOption } from '../support/in-option.js'
import { certificateSource } from '../support/client-certificate.js'
import { clientRequests, type ClientRequestOf } from './client-request.js'
import { buildDetailTypes, type DetailTypes } from './detail-types.js'
import { buildGrantTypes, grantProfilesOf } from './grant-types.js'
import { buildResources, modelOfAll, type OAuthResources } from './resources.js'

/** What the endpoints for devices work with. */
export interface DeviceContext {
  readonly authorizations: DeviceAuthorizations
  /** What the requests of an address are counted by. */
  readonly networkOf: (address: string) => string
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
  /** `null` when devices cannot ask. */
  readonly devices: DeviceContext | null
  readonly issuer: string
  readonly origin: string
  /** What clients can get tokens for; the first is what they mean when they say nothing. */
  readonly resources: OAuthResources
  /** How people call this server: the name of the first resource. */
  readonly resourceName: string
  readonly endpoints: Endpoints
  /** What the metadata says of assertions that are taken. */
  readonly grantProfiles: readonly string[]
  /** The scopes of all resources. */
  readonly model: ScopeModel
  readonly tagLimits: TagLimits
  readonly detailTypes: DetailTypes
  readonly registration: boolean
  readonly redirectSchemes: readonly string[]
  /** `null` where DPoP proofs mean nothing. */
  readonly dpop: DpopSettings | null
  readonly signIn: SignIn
  readonly clientRequestOf: ClientRequestOf
  /** Where TLS asks clients for a certificate; `null` when that is nowhere else. */
  readonly certificateOrigin: string | null
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

function devicesOf (store: PkceStore, { deviceAuthorization = false }: OAuthRoutesOptions): DeviceContext | null {
  if (!deviceAuthorization) return null
  return { authorizations: createDeviceAuthorizations(store), networkOf: addressKeys() }
}

function documentsOf ({ records, tenant, lifetimes }: PkceStore, options: OAuthRoutesOptions): ClientDocuments | null {
  const { clientDocuments = {}, redirectSchemes: schemes = [] } = options
  if (clientDocuments === false) return null
  const { allow, ...fetching } = clientDocuments
  return createClientDocuments({
    records,
    tenant,
    lifetimes,
    schemes,
    ...(allow === undefined ? {} : { allow }),
    fetch: fetchOptionsOf(fetching)
  })
}

function certificateOriginOf ({ certificateOrigin: origin, clientCertificate }: OAuthRoutesOptions): string | null {
  if (origin === undefined) return null
  if (clientCertificate === undefined) throw new InvalidOptionError('certificateOrigin needs clientCertificate')
  const isOrigin = URL.canParse(origin) && new URL(origin).origin === origin && origin.startsWith('https://')
  if (!isOrigin) throw new InvalidOptionError('certificateOrigin must be an https origin, without a path')
  return origin
}

/** How documents of others are fetched. */
function fetchOptionsOf ({ agent, loopback = false }: ClientKeysOptions): PublicFetchOptions {
  return {
    ...(agent === undefined ? {} : { agent }),
    ...(loopback ? { isAllowed: (address) => isPublicAddress(address) || isLoopbackHost(address) } : {})
  }
}

/**
 * @throws {InvalidOptionError} whose message starts with the path of the wrong option.
 * @throws {PartOrderError} without the PKCE store.
 */
export function buildContext (fastify: FastifyInstance, options: OAuthRoutesOptions): OAuthContext {
  if (!fastify.hasDecorator('pkceStore')) throw new PartOrderError('oauthRoutes must be registered after pkceStore')
  const { issuer, clientCertificate: certificate, redirectSchemes = [], registration = true, strict = false } = options
  inOption('issuer ', () => { assertIssuer(issuer) })
  assertRedirectSchemes(redirectSchemes)
  const store = fastify.pkceStore
  const resources = buildResources(options, { server: fastify.server, store })
  const { grants, keyring, tenant, secrets, lifetimes } = store
  const documents = documentsOf(store, options)
  const clients = documents === null ? store.clients : withDocuments(store.clients, documents)
  const devices = devicesOf(store, options)
  const leniencies = resolveLeniencies(options.leniencies, strict)
  const tagLimits = { ...TAG_LIMITS, ...options.tagLimits }
  const dpop = dpopSettings(fastify, options.dpop, secrets)
  const endpoints = endpointsOf(issuer)
  const { token, pushedRequest, revocation, introspection, deviceAuthorization } = endpoints
  const forClients = [token, pushedRequest, revocation, introspection, deviceAuthorization]
  const assertions = assertionRules({
    issuer,
    endpoints: forClients.map(({ url }) => url),
    leniencies,
    keys: createClientKeys(fetchOptionsOf(options.clientKeys ?? {})),
    records: store.records,
    tenant
  })
  return Object.freeze({
    store,
    tokens: {
      clients,
      assertions,
      grants,
      keyring,
      issuer,
      resources: new Map(resources.map((resource) => [resource.resource, resource])),
      tenant,
      secrets,
      lifetimes,
      leniencies,
      grantTypes: buildGrantTypes(options, {
        rules: { resources, tagLimits, missingResource: leniencies.missingResource },
        devices: devices?.authorizations ?? null
      }),
      readSender: createSenderReader({ url: endpoints.token.url, dpop })
    },
    clients,
    documents,
    pushed: pushedOf(store, options),
    devices,
    issuer,
    origin: new URL(issuer).origin,
    resources,
    resourceName: resources[0].name,
    endpoints,
    grantProfiles: grantProfilesOf(options),
    model: modelOfAll(options, resources),
    detailTypes: buildDetailTypes(options),
    tagLimits,
    registration: registration !== false,
    redirectSchemes,
    dpop,
    signIn: signInOf(fastify, options),
    certificateOrigin: certificateOriginOf(options),
    clientRequestOf: clientRequests(certificate === undefined ? null : certificateSource(certificate))
  })
}
