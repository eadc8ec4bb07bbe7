/** RFC 9728 §2, what we fill of it. */
export interface ResourceMetadata {
  readonly resource: string
  readonly authorization_servers: readonly string[]
  readonly scopes_supported?: readonly string[]
  readonly bearer_methods_supported: readonly string[]
  readonly resource_name?: string
}

export interface ResourceMetadataInput {
  /** Canonical. */
  readonly resource: string
  /** Goes out byte by byte: clients compare it with the `issuer` of the authorization server. */
  readonly issuer: string
  /** What a client needs to start, not the whole catalogue (RS-5). */
  readonly scopes: readonly string[]
  readonly name?: string | undefined
}

/** The protected resource metadata (RFC 9728 §2, RS-1, RS-4): members without a value are left out. */
export function buildResourceMetadata ({ resource, issuer, scopes, name }: ResourceMetadataInput): ResourceMetadata {
  return {
    resource,
    authorization_servers: [issuer],
    ...(scopes.length === 0 ? {} : { scopes_supported: [...scopes] }),
    bearer_methods_supported: ['header'],
    ...(name === undefined || name === '' ? {} : { resource_name: name })
  }
}
