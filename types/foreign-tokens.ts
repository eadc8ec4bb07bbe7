/** Signatures by a key pair. Nothing with a shared secret, and no `none`. */
export type SignatureAlgorithm =
  'RS256' | 'RS384' | 'RS512' | 'PS256' | 'PS384' | 'PS512' | 'ES256' | 'ES384' | 'ES512' | 'EdDSA'

/** Where a claim stands: a name as it is, or the names on the way to it: `['realm_access', 'roles']`. */
export type ClaimPath = string | readonly string[]

/** Where another server puts what RFC 9068 §2.2 puts elsewhere. */
export interface ForeignClaims {
  /** The client. Default `client_id`. Keycloak and Entra say `azp`. */
  readonly clientId?: ClaimPath
  /** Text with blanks between the scopes, or a list of texts. Default `scope`. Entra says `scp`. */
  readonly scopes?: ClaimPath
  /** A text or a list of texts. Default `roles`. Keycloak says `['realm_access', 'roles']`. */
  readonly roles?: ClaimPath
}

/** What verifiers of another server's tokens have in common. */
export interface ForeignTokenOptions {
  /** As the server writes it in `iss`, byte by byte, a slash at its end included. https, or http on loopback. */
  readonly issuer: string
  /** The MCP endpoint's URL, as `scopeGuard` has it. Has to be in the token's `aud`, unless `audience` is given. */
  readonly resource: string
  /**
   * What the server writes in `aud` for this resource, byte by byte, when it cannot write the resource itself:
   * `api://...` or a client id. It must stand for this resource only.
   */
  readonly audience?: string
  /** Default `default`. */
  readonly tenant?: string
  readonly claims?: ForeignClaims
  /**
   * Put in front of every scope of a token, for servers whose clients ask for other names than tokens say: Entra is
   * asked for `api://APP/notes.read`, and its `scp` says `notes.read`. With `api://APP/` here, the guard's `scopes` and
   * `components`, and so its challenges, have the names that clients ask for. Default: nothing.
   */
  readonly scopePrefix?: string
  /** Good tokens remembered at the same time. Default 10 000; 0 remembers none. */
  readonly rememberedTokens?: number
  /** For one answer of the server, its body included, in milliseconds. 100 to 30 000. Default 5 000. */
  readonly timeoutMs?: number
  /** How the server is reached. Default: the global `fetch`. */
  readonly fetch?: typeof fetch
}

export interface JwksVerifierOptions extends ForeignTokenOptions {
  /** Where the server publishes its keys (RFC 7517 §5): `jwks_uri` of its metadata. https, or http on loopback. */
  readonly jwksUri: string
  /** Default RS256, PS256, ES256 and EdDSA. */
  readonly algorithms?: readonly SignatureAlgorithm[]
  /**
   * What `typ` in the header may say. Default `at+jwt` only (RFC 9068 §4). Keycloak and Entra say `JWT`, as ID tokens
   * do: those are then told apart by their claims as far as they can be.
   */
  readonly types?: readonly string[]
  /**
   * Takes tokens without `typ` as well, as Cognito writes them. Those have to say by a claim (`token_use`, `typ`,
   * `token_type`) that they are access tokens. Default `false`.
   */
  readonly untyped?: boolean
  /** Seconds after which a remembered token is verified again. 0 to 3600. Default 300. */
  readonly recheck?: number
  /** Seconds for which fetched keys are good. 60 to 86 400. Default 600. */
  readonly keysMaxAge?: number
  /** Seconds for which they are used beyond that while the server cannot be reached. 0 to 86 400. Default 3600. */
  readonly keysMaxStale?: number
  /** Seconds between two fetches for keys that are not known, and after one that failed. 1 to 300. Default 10. */
  readonly keysCooldown?: number
}

/** With whose keys introspection answers are signed. */
export interface SignedAnswersOptions {
  /** `jwks_uri` of the server's metadata. https, or http on loopback. */
  readonly jwksUri: string
  /** Default RS256, PS256, ES256 and EdDSA. */
  readonly algorithms?: readonly SignatureAlgorithm[]
}

export interface IntrospectionVerifierOptions extends ForeignTokenOptions {
  /** https, or http on loopback. */
  readonly introspectionEndpoint: string
  /** Who we are at the introspection endpoint. */
  readonly clientId: string
  readonly clientSecret: string
  /** Default `client_secret_basic`. */
  readonly clientAuthentication?: 'client_secret_basic' | 'client_secret_post'
  /**
   * Takes answers only that the server signed (RFC 9701): asked for by `Accept`, and an unsigned one is no answer then.
   * `aud` in it has to be our `clientId`. Default: answers are plain JSON, and believed for the TLS they came by.
   */
  readonly signedAnswers?: SignedAnswersOptions
  /** Seconds for which an answer holds: after so long at most a revocation takes effect. 0 to 60. Default 10. */
  readonly recheck?: number
  /** Questions to the server at the same time; above it requests are answered 503. 1 to 10 000. Default 100. */
  readonly maxConcurrent?: number
}
