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
  /** Of the authorization servers. Go out byte by byte: clients compare them with the `issuer` of those. */
  readonly issuers: readonly string[]
  /** What a client needs to start, not the whole catalogue (RS-5). */
  readonly scopes: readonly string[]
  readonly name?: string | undefined
}

/** The protected resource metadata (RFC 9728 §2, RS-1, RS-4): members without a value are left out. */
export function buildResourceMetadata ({ resource, issuers, scopes, name }: ResourceMetadataInput): ResourceMetadata {
  return {
    resource,
    authorization_servers: [...issuers],
    ...(scopes.length === 0 ? {} : { scopes_supported: [...scopes] }),
    bearer_methods_supported: ['header'],
    ...(name === undefined || name === '' ? {} : { resource_name: name })
  }
}
