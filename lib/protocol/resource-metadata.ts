/** RFC 9728 §2, what we fill of it. */
export interface ResourceMetadata {
  readonly resource: string
  readonly authorization_servers: readonly string[]
  readonly scopes_supported?: readonly string[]
  readonly bearer_methods_supported: readonly string[]
  readonly resource_name?: string
  readonly dpop_signing_alg_values_supported?: readonly string[]
  readonly dpop_bound_access_tokens_required?: true
  readonly tls_client_certificate_bound_access_tokens?: true
}

/** Whether tokens can, or have to, be bound to who was given them (RS-7). */
export interface SenderMetadata {
  /** None: without DPoP. */
  readonly dpopAlgorithms: readonly string[]
  /** Whether no token is taken without it. */
  readonly dpopRequired: boolean
  readonly certificates: boolean
}

export interface ResourceMetadataInput {
  /** Canonical. */
  readonly resource: string
  /** Of the authorization servers. Go out byte by byte: clients compare them with the `issuer` of those. */
  readonly issuers: readonly string[]
  /** What a client needs to start, not the whole catalogue (RS-5). */
  readonly scopes: readonly string[]
  readonly name?: string | undefined
  readonly sender?: SenderMetadata
}

const UNBOUND: SenderMetadata = { dpopAlgorithms: [], dpopRequired: false, certificates: false }

/** The protected resource metadata (RFC 9728 §2, RS-1, RS-4): members without a value are left out. */
export function buildResourceMetadata (input: ResourceMetadataInput): ResourceMetadata {
  const { resource, issuers, scopes, name, sender = UNBOUND } = input
  const { dpopAlgorithms, dpopRequired, certificates } = sender
  return {
    resource,
    authorization_servers: [...issuers],
    ...(scopes.length === 0 ? {} : { scopes_supported: [...scopes] }),
    bearer_methods_supported: ['header'],
    ...(name === undefined || name === '' ? {} : { resource_name: name }),
    ...(dpopAlgorithms.length === 0 ? {} : { dpop_signing_alg_values_supported: [...dpopAlgorithms] }),
    ...(dpopRequired ? { dpop_bound_access_tokens_required: true as const } : {}),
    ...(certificates ? { tls_client_certificate_bound_access_tokens: true as const } : {})
  }
}
