import type { TokenVerifier } from './principal.js'

/** What the host says about a token that it found good. Anything else, or of another type, is a mistake: 503. */
export interface VerifiedToken {
  /** The user; `null` for a client that acts for itself. A subject that is the client's own name counts as `null`. */
  readonly subject: string | null
  readonly clientId: string
  /**
   * Whom the token is for, as it says itself: one of them has to be the `resource` (RS-14). `true` confirms that the
   * host compared that already, or keeps tokens for this resource only.
   */
  readonly audience: string | readonly string[] | true
  readonly scopes: readonly string[]
  /** Seconds since the Unix epoch; the token is dead at this second. Left out: it has no end. */
  readonly expiresAt?: number
  readonly roles?: readonly string[]
  /** Names what `forget` ends. */
  readonly grantId?: string
  /** RFC 7800 `cnf` members: `jkt` or `x5t#S256`. The proof is asked for by `scopeGuard`. */
  readonly confirmation?: Readonly<Record<string, string>>
  /** Seconds since the Unix epoch at which the user signed in. */
  readonly authenticatedAt?: number
  readonly acr?: string
  readonly amr?: readonly string[]
  /** Whatever else handlers want to know. Copied: has to be plain data. Not for access decisions. */
  readonly claims?: Readonly<Record<string, unknown>>
}

export interface CustomVerifierOptions {
  /**
   * `null` for a token that is not good: 401. Whatever it throws is 503, never 401 and never a pass, save for an
   * `InvalidTokenError` (401 with that reason for the audit). `signal` aborts after `timeoutMs`.
   */
  readonly verify: (
    token: string, context: { readonly now: number, readonly signal: AbortSignal }
  ) => VerifiedToken | null | Promise<VerifiedToken | null>
  /** Who issues these tokens; subjects and clients of different issuers are different. https, or http on loopback. */
  readonly issuer: string
  /** The MCP endpoint's URL, as `scopeGuard` has it. */
  readonly resource: string
  /** Default `default`. */
  readonly tenant?: string
  /** Seconds for which a good answer holds, never past `expiresAt`. 0 to 300. Default 0: asks for every request. */
  readonly recheck?: number
  /** Good tokens remembered at the same time, by their digests. Default 10 000. */
  readonly rememberedTokens?: number
  /** Tokens asked about at the same time; above it requests are answered 503. 1 to 10 000. Default 100. */
  readonly maxConcurrent?: number
  /** For one answer, in milliseconds. 100 to 30 000. Default 5 000. */
  readonly timeoutMs?: number
}

export interface CustomVerifier extends TokenVerifier {
  /** Drops every remembered token of a grant, in force for the next request. */
  forget (grantId: string): void
}
