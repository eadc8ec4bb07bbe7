import type { Confirmation } from './sender-constraint.js'

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

/** The refresh half of an active grant. Digests and sealed text only. */
export interface RefreshState {
  /** SHA-256 of the token that is good now. */
  readonly current: string
  /** SHA-256 of the one before it, `null` until the first rotation. */
  readonly previous: string | null
  readonly rotatedAt: number
  /** The answer that `previous` got, sealed under a key derived from that token. */
  readonly answer: string | null
  /** The resource of that answer's access token; the grant's first one in older records. */
  readonly answerFor?: string
}

/** `jwt`: signed, RFC 9068. `opaque`: says nothing to anybody, and is looked up by its digest. */
export type AccessTokenFormat = 'jwt' | 'opaque'

/** What a client asks for in more words than a scope has (RFC 9396). */
export type AuthorizationDetail = Readonly<Record<string, unknown>> & { readonly type: string }

/** An opaque access token that is out. No text of it, only its digest. */
export interface OpaqueAccessToken {
  /** SHA-256 of the token. */
  readonly digest: string
  readonly issuer: string
  /** Its audience; the grant's first resource in older records. */
  readonly resource?: string
  readonly scopes: readonly string[]
  /** Left out: none. */
  readonly authorizationDetails?: readonly AuthorizationDetail[]
  /** What the token is bound to; not there for a bearer token. */
  readonly confirmation?: Confirmation
  readonly issuedAt: number
  /** Seconds since the Unix epoch; the token is dead at this second. */
  readonly expiresAt: number
}

/**
 * One authorization from the first page to the last token: one record, so that each step is one atomic verb.
 * `requested` (the consent page is open) -> `approved` (a code is out) -> `active` (tokens are out) -> removed.
 */
export interface Grant {
  readonly status: 'requested' | 'approved' | 'active'
  readonly grantId: string
  readonly clientId: string
  /** The user; `null` for a client that acts for itself (RS-19). */
  readonly subject: string | null
  /** Empty when no browser took part. */
  readonly redirectUri: string
  /** Canonical. */
  readonly resource: string
  /** Others that the user is asked about together with it. Each access token is for one of them all. */
  readonly furtherResources?: readonly string[]
  /** What the user is asked for besides scopes, all of it or nothing. */
  readonly authorizationDetails?: readonly AuthorizationDetail[]
  /** Asked for while `requested`; what the user ticked from then on. Never grows. */
  readonly scopes: readonly string[]
  /** `null` when the client sent none, and from the exchange on. */
  readonly state: string | null
  /** Empty when no browser took part. */
  readonly codeChallenge: string
  /** Thumbprint of the DPoP key that the code is bound to (`dpop_jkt`, RFC 9449 §10). Not there without one. */
  readonly codeKey?: string
  /** `null` when nobody signed in, or nobody knows when. */
  readonly authenticatedAt: number | null
  readonly acr: string | null
  readonly amr: readonly string[]
  readonly createdAt: number
  /** SHA-256 of the consent page's handle; empty without one. */
  readonly handleDigest: string
  /** SHA-256 of the code, from `approved` on. */
  readonly codeDigest: string | null
  /** When the code was exchanged. */
  readonly exchangedAt: number | null
  readonly refresh: RefreshState | null
  /** Of a grant that a device asked for (RFC 8628): what it asked with, and until when it may fetch its tokens. */
  readonly device?: { readonly deviceId: string, readonly endsAt: number }
  /**
   * What the refresh tokens of a public client are bound to (RFC 9449 §5, RFC 8705 §4). Not there when they are bound
   * to nothing, or by the client's own authentication.
   */
  readonly confirmation?: Confirmation
  /** Whether earlier refresh tokens were bound to nothing: who shows one of those need not have the key. */
  readonly boundLater?: boolean
  /** The opaque access tokens that are out, the oldest first. Not there before the exchange, and in older records. */
  readonly accessTokens?: readonly OpaqueAccessToken[]
  /** Seconds since the Unix epoch after which no refresh is possible, however active. */
  readonly endsAt: number
  /**
   * The destructive components that the consent page named under the granted scopes, each as 16 characters of a digest.
   * Never grows. Not there where no page named any component.
   */
  readonly consented?: readonly string[]
  /** Those of its resources to which `consented` means nothing: no page could say what they have. */
  readonly unpinned?: readonly string[]
  /** Digest of what has to stay the same for the user's answer to be remembered. Not there when it is not. */
  readonly terms?: string
  /** Who acts for the user, where somebody else than the client does. */
  readonly actor?: Actor
  /** Who alone may exchange its tokens (RFC 8693 §4.4). */
  readonly mayAct?: Actor
}

/** Who acts for the user of a token, and for whom that one acts (RFC 8693 §4.1). */
export interface Actor {
  readonly sub: string
  readonly iss?: string
  readonly act?: Actor
}

/** What a user agreed to, so that the same question need not be asked again for a while. */
export interface RememberedConsent {
  readonly subject: string
  readonly clientId: string
  readonly redirectUri: string
  readonly resource: string
  /** What was ticked. */
  readonly scopes: readonly string[]
  /** As in the grant. */
  readonly consented?: readonly string[]
  /** Digest of the client's metadata and all else that was asked. */
  readonly terms: string
  /** Seconds since the Unix epoch. */
  readonly grantedAt: number
}

/** How long things live, in seconds. */
export interface Lifetimes {
  /** 120 to 3600. Default 900. */
  readonly accessToken: number
  /** 10 to 600. Default 60. */
  readonly code: number
  /** How long a consent page stays good. 60 to 3600. Default 600. */
  readonly authorization: number
  /** A refresh token that is not used for so long is dead. Default 14 days. */
  readonly refreshIdle: number
  /** A grant ends after so long, however active. Default 90 days. */
  readonly refreshAbsolute: number
  /** How long a repeat of the previous refresh token gets the very same answer. 0 to 120. Default 30. */
  readonly refreshRepeat: number
  /** How long a user's consent is remembered. 0: it is asked for each time. At most 10 years. Default 30 days. */
  readonly consent: number
  /** A registered client that nobody ever authorized is forgotten after so long. Default 1 day. */
  readonly unusedClient: number
  /** A registered client is forgotten so long after it was last authorized. Default 180 days. */
  readonly idleClient: number
}
