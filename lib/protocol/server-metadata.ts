import { DEVICE_GRANT } from './grant-types.js'
import type { SenderMetadata } from './resource-metadata.js'
import type { ClientAuthenticationMethod } from '../../types/oauth.js'
import { ASSERTION_ALGORITHMS } from './client-key-members.js'
import { pathOf } from './well-known.js'

export interface Endpoint {
  /** For the router: starts with a slash, includes the issuer's path. */
  readonly path: string
  /** For the metadata. */
  readonly url: string
}

export interface Endpoints {
  readonly authorization: Endpoint
  readonly token: Endpoint
  readonly registration: Endpoint
  readonly revocation: Endpoint
  readonly introspection: Endpoint
  readonly pushedRequest: Endpoint
  readonly deviceAuthorization: Endpoint
  /** Where people type what a device shows. */
  readonly device: Endpoint
  readonly jwks: Endpoint
}

/** RFC 8414 §2, what we fill of it. */
export interface ServerMetadata {
  readonly issuer: string
  readonly authorization_endpoint: string
  readonly token_endpoint: string
  readonly registration_endpoint?: string
  readonly revocation_endpoint: string
  readonly introspection_endpoint: string
  readonly pushed_authorization_request_endpoint?: string
  readonly require_pushed_authorization_requests?: true
  readonly device_authorization_endpoint?: string
  readonly jwks_uri: string
  readonly scopes_supported?: readonly string[]
  readonly response_types_supported: readonly string[]
  readonly response_modes_supported: readonly string[]
  readonly grant_types_supported: readonly string[]
  readonly authorization_grant_profiles_supported?: readonly string[]
  readonly token_endpoint_auth_methods_supported: readonly string[]
  readonly token_endpoint_auth_signing_alg_values_supported: readonly string[]
  readonly revocation_endpoint_auth_methods_supported: readonly string[]
  readonly revocation_endpoint_auth_signing_alg_values_supported: readonly string[]
  readonly introspection_endpoint_auth_methods_supported: readonly string[]
  readonly introspection_endpoint_auth_signing_alg_values_supported: readonly string[]
  readonly introspection_signing_alg_values_supported: readonly string[]
  readonly code_challenge_methods_supported: readonly string[]
  readonly authorization_response_iss_parameter_supported: true
  readonly client_id_metadata_document_supported?: true
  readonly authorization_details_types_supported?: readonly string[]
  readonly dpop_signing_alg_values_supported?: readonly string[]
  readonly tls_client_certificate_bound_access_tokens?: true
  readonly mtls_endpoint_aliases?: Readonly<Record<string, string>>
}

export interface ServerMetadataInput {
  readonly issuer: string
  readonly scopes: readonly string[]
  readonly grantTypes: readonly string[]
  /** Profiles of the JWT bearer grant that have a name (EX-14). Default none. */
  readonly grantProfiles?: readonly string[]
  /** Whether clients can register themselves. */
  readonly registration: boolean
  /** Whether clients can send authorization requests ahead, or have to. Default `off`. */
  readonly pushedRequests?: 'off' | 'optional' | 'required'
  /** Whether a client id may be the URL of a document. */
  readonly clientDocuments?: boolean
  /** Types of authorization details (RFC 9396 §10). Default none. */
  readonly detailTypes?: readonly string[]
  /** Where TLS asks clients for a certificate. Default: nowhere else. */
  readonly certificateOrigin?: string
  /** What access tokens can be bound to. Default: nothing. */
  readonly sender?: Pick<SenderMetadata, 'dpopAlgorithms' | 'certificates'>
  /** Of introspection answers (RFC 9701). */
  readonly signingAlgorithm: string
  readonly endpoints: Endpoints
}

// mcp-remote takes the first that it can do, and Claude looks for `none` (requirements 0).
const METHODS: readonly ClientAuthenticationMethod[] = [
  'none', 'client_secret_post', 'client_secret_basic', 'private_key_jwt'
]
const CERTIFICATE_METHODS: readonly ClientAuthenticationMethod[] = ['tls_client_auth', 'self_signed_tls_client_auth']

/**
 * The endpoints of an issuer, under its path and by the names that clients without metadata guess (revision
 * 2025-03-26): `/authorize`, `/token`, `/register`, `/revoke`. `issuer` is one that `assertIssuer` accepts.
 */
export function endpointsOf (issuer: string): Endpoints {
  const path = pathOf(issuer)
  const endpoint = (name: string): Endpoint => ({ path: path + name, url: issuer + name })
  return {
    authorization: endpoint('/authorize'),
    token: endpoint('/token'),
    registration: endpoint('/register'),
    revocation: endpoint('/revoke'),
    introspection: endpoint('/introspect'),
    pushedRequest: endpoint('/par'),
    deviceAuthorization: endpoint('/device_authorization'),
    device: endpoint('/device'),
    jwks: endpoint('/.well-known/jwks.json')
  }
}

/** The authorization server metadata (RFC 8414 §2, AS-M1, AS-M2): only what is switched on, no empty members. */
export function buildServerMetadata (input: ServerMetadataInput): ServerMetadata {
  const { issuer, scopes, grantTypes, grantProfiles = [], registration, endpoints } = input
  const { clientDocuments = false, pushedRequests = 'off', detailTypes = [] } = input
  const { dpopAlgorithms, certificates } = input.sender ?? { dpopAlgorithms: [], certificates: false }
  const methods = certificates ? [...METHODS, ...CERTIFICATE_METHODS] : METHODS
  return {
    issuer,
    authorization_endpoint: endpoints.authorization.url,
    token_endpoint: endpoints.token.url,
    ...(registration ? { registration_endpoint: endpoints.registration.url } : {}),
    revocation_endpoint: endpoints.revocation.url,
    introspection_endpoint: endpoints.introspection.url,
    ...(pushedRequests === 'off'
      ? {}
      : { pushed_authorization_request_endpoint: endpoints.pushedRequest.url }),
    ...(pushedRequests === 'required' ? { require_pushed_authorization_requests: true } : {}),
    ...(grantTypes.includes(DEVICE_GRANT) ? { device_authorization_endpoint: endpoints.deviceAuthorization.url } : {}),
    jwks_uri: endpoints.jwks.url,
    ...(scopes.length === 0 ? {} : { scopes_supported: [...scopes] }),
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: [...grantTypes],
    ...(grantProfiles.length === 0 ? {} : { authorization_grant_profiles_supported: [...grantProfiles] }),
    token_endpoint_auth_methods_supported: methods,
    token_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
    revocation_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
    // Whoever asks about a token has to show who it is (AS-I1).
    introspection_endpoint_auth_methods_supported: methods.filter((method) => method !== 'none'),
    introspection_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
    introspection_signing_alg_values_supported: [input.signingAlgorithm],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    ...(clientDocuments ? { client_id_metadata_document_supported: true } : {}),
    ...(detailTypes.length === 0 ? {} : { authorization_details_types_supported: [...detailTypes] }),
    ...(dpopAlgorithms.length === 0 ? {} : { dpop_signing_alg_values_supported: dpopAlgorithms }),
    ...(certificates ? { tls_client_certificate_bound_access_tokens: true } : {}),
    ...aliasesOf(input)
  }
}

/** RFC 8705 §5: the endpoints for clients, elsewhere. */
function aliasesOf (input: ServerMetadataInput): Pick<ServerMetadata, 'mtls_endpoint_aliases'> {
  const { certificateOrigin: origin, endpoints, grantTypes, pushedRequests = 'off' } = input
  if (origin === undefined) return {}
  const { token, revocation, introspection, pushedRequest, deviceAuthorization } = endpoints
  return {
    mtls_endpoint_aliases: {
      token_endpoint: origin + token.path,
      revocation_endpoint: origin + revocation.path,
      introspection_endpoint: origin + introspection.path,
      ...(pushedRequests === 'off' ? {} : { pushed_authorization_request_endpoint: origin + pushedRequest.path }),
      ...(grantTypes.includes(DEVICE_GRANT) ? { device_authorization_endpoint: origin + deviceAuthorization.path } : {})
    }
  }
}
