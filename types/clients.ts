/** How a client shows who it is, by the names of RFC 7591 §2, OpenID Connect Core §9 and RFC 8705 §2. */
export type ClientAuthenticationMethod =
  | 'none' | 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt'
  | 'tls_client_auth' | 'self_signed_tls_client_auth'
/** What `private_key_jwt` may be signed with. */
export type AssertionAlgorithm = 'ES256' | 'RS256' | 'PS256' | 'EdDSA'

/** Public keys (RFC 7517 §5). */
export interface PublicKeySet {
  readonly keys: ReadonlyArray<Readonly<Record<string, unknown>>>
}

/** By its value of `grant_type`: a host may add its own. */
export type GrantType = string

/** Client metadata as registered, in RFC 7591 names. Absent members are absent, never `null` (AS-R4). */
export interface ClientMetadata {
  readonly redirect_uris: readonly string[]
  readonly token_endpoint_auth_method: ClientAuthenticationMethod
  readonly grant_types: readonly GrantType[]
  readonly response_types: readonly 'code'[]
  readonly application_type?: 'native' | 'web'
  readonly client_name?: string
  readonly client_uri?: string
  readonly logo_uri?: string
  readonly tos_uri?: string
  readonly policy_uri?: string
  readonly scope?: string
  readonly contacts?: readonly string[]
  readonly software_id?: string
  readonly software_version?: string
  /** Every token request of this client needs a DPoP proof (RFC 9449 §5.2). */
  readonly dpop_bound_access_tokens?: boolean
  /** Its access tokens are bound to the certificate of the connection, which it must have (RFC 8705 §3.4). */
  readonly tls_client_certificate_bound_access_tokens?: boolean
  readonly jwks?: PublicKeySet
  readonly jwks_uri?: string
  readonly token_endpoint_auth_signing_alg?: AssertionAlgorithm
  /** Exactly one of these five says which certificate is the client's with `tls_client_auth` (RFC 8705 §2.1). */
  readonly tls_client_auth_subject_dn?: string
  readonly tls_client_auth_san_dns?: string
  readonly tls_client_auth_san_uri?: string
  readonly tls_client_auth_san_ip?: string
  readonly tls_client_auth_san_email?: string
}

export interface Client {
  readonly clientId: string
  readonly metadata: ClientMetadata
  /** SHA-256 of each secret that is good, base64url: none without one, two while one takes the other's place. */
  readonly secretDigests: readonly string[]
  /**
   * What it may authenticate with at the token endpoint. One, or both `client_secret_*` methods when it registered
   * without naming one: SDKs up to 1.14 then send the secret in the body, later ones by Basic.
   */
  readonly authenticationMethods: readonly ClientAuthenticationMethod[]
  /**
   * `static`: the operator configured it. `admin`: the operator made it at run time. `dynamic`: it registered itself,
   * nobody assures who it is (AS-A17). `document`: the host of its id vouches for it.
   */
  readonly origin: 'static' | 'admin' | 'dynamic' | 'document'
  /** Of a resource server: the resources whose access tokens it may ask about. Not there for other clients. */
  readonly introspects?: readonly string[]
  /** Seconds since the Unix epoch. */
  readonly issuedAt: number
}

/** A client from the configuration. */
export interface StaticClient {
  readonly clientId: string
  readonly name?: string
  /** Needed by the grant type `authorization_code`, refused without. */
  readonly redirectUris?: readonly string[]
  /** Needed by the `client_secret_*` methods, refused with all others. At least 32 characters. */
  readonly secret?: string
  /** Instead of `secret`: one, or two that are both good, `[new, old]`, while the client changes over. */
  readonly secrets?: readonly string[]
  /**
   * Default: `client_secret_basic` with a secret, `private_key_jwt` with keys, `tls_client_auth` with `tlsClientAuth`,
   * else `none`.
   */
  readonly tokenEndpointAuthMethod?: ClientAuthenticationMethod
  /** The client's public keys, for `private_key_jwt` and, with `x5c`, for `self_signed_tls_client_auth`. */
  readonly jwks?: PublicKeySet
  /** Instead of `jwks`: where they are. https, at a public address. */
  readonly jwksUri?: string
  /** What the certificate of a client with `tls_client_auth` says, whose chain the TLS layer trusts. */
  readonly tlsClientAuth?: CertificateSubject
  /**
   * Default `authorization_code` and `refresh_token`. With `client_credentials` the client acts for itself, without a
   * user: it needs a secret or key, and a `scope`.
   */
  readonly grantTypes?: readonly GrantType[]
  /** Every token request of this client needs a DPoP proof (RFC 9449 §5.2). Where DPoP is off it gets no tokens. */
  readonly dpopBoundAccessTokens?: boolean
  /** Its access tokens are bound to its TLS certificate, and it gets none without (RFC 8705 §3.4). */
  readonly certificateBoundAccessTokens?: boolean
  /**
   * Of a resource server: the resources whose access tokens it may ask about (RFC 7662). Needs a secret or key, and no
   * grant types unless it is a client as well.
   */
  readonly introspects?: readonly string[]
  /** The most that this client may ask for, space-separated, with what it implies. Default: no limit. */
  readonly scope?: string
}

/** Exactly one of them (RFC 8705 §2.1.2). Compared exactly: upper and lower case differ, wildcards mean nothing. */
export interface CertificateSubject {
  /** RFC 4514: `CN=client,O=Example,C=GB`, the outermost last. */
  readonly subjectDn?: string
  readonly sanDns?: string
  readonly sanUri?: string
  readonly sanIp?: string
  readonly sanEmail?: string
}
