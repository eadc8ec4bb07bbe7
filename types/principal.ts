/** How a principal showed who it is. */
export type Credential =
  'access-token' | 'foreign-token' | 'introspected-token' | 'custom-token' | 'api-key' | 'anonymous'

/**
 * Who a guarded request acts for: `request.mcpAuth`. One shape for every credential. Frozen.
 * `subject` and `clientId` never share a namespace (RS-19): a client that acts for itself has `subject: null`.
 */
export interface Principal {
  /** The user, or `null` for a client acting for itself. */
  readonly subject: string | null
  readonly clientId: string
  readonly tenant: string
  /** The issuer of the credential. */
  readonly issuer: string
  /** The resource that the credential is for (its audience). */
  readonly resource: string
  /** Exactly what was granted, without what it implies. */
  readonly scopes: readonly string[]
  /** The names in the granted scopes `tag:NAME`. */
  readonly tags: readonly string[]
  readonly roles: readonly string[]
  /**
   * The destructive components that the consent page named, each as 16 characters of a digest: no other one is opened.
   * Left out where no such page came first: then nothing is held against it.
   */
  readonly consented?: readonly string[]
  /** Names what revocation ends; `null` when the issuer does not say. */
  readonly grantId: string | null
  readonly credential: Credential
  /** RFC 7800 `cnf` members, `null` for a bearer token. */
  readonly confirmation: Readonly<Record<string, string>> | null
  /** Seconds since the Unix epoch at which the user signed in. */
  readonly authenticatedAt: number | null
  readonly acr: string | null
  readonly amr: readonly string[]
  /** Seconds since the Unix epoch; the credential is dead at this second. `null` when it has no end. */
  readonly expiresAt: number | null
  /** Every claim as issued. Not for access decisions: those read the members above. */
  readonly claims: Readonly<Record<string, unknown>>
}

/**
 * Turns an access token into a principal. `recall` is synchronous and answers only what was verified before and
 * still holds; `verify` does the whole work.
 */
export interface TokenVerifier {
  recall (token: string, now: number): Principal | undefined
  /**
   * @throws {InvalidTokenError} with the precise reason: goes to the audit event, never to the client (RS-29).
   * @throws {StoreUnavailableError} when liveness cannot be checked: answered 503, never 401 (RS-16).
   */
  verify (token: string, now: number): Promise<Principal>
}
