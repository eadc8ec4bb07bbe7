import type { FastifyRequest } from 'fastify'
import type { ClientMetadata } from './oauth.js'

/** Whose software statements (RFC 7591 §2.3) are believed. */
export interface StatementIssuer {
  /** As it stands in `iss`, byte by byte. */
  readonly issuer: string
  /** Where it publishes its keys (RFC 7517 §5). https, or http on loopback. */
  readonly jwksUri: string
}

/** What somebody is about to register, after every check of ours. */
export interface AskedRegistration {
  readonly metadata: ClientMetadata
  /** Who signed the software statement; `null` without one. */
  readonly statementIssuer: string | null
  /** Who is signed in, under `signedIn`; otherwise, and where a client changes its registration, `null`. */
  readonly subject: string | null
  readonly request: FastifyRequest
}

/** Who may register, and what for. All that is given has to be met; nothing of it: everybody may. */
export interface RegistrationOptions {
  /**
   * Initial access tokens (RFC 7591 §3), 32 to 512 characters each: whoever registers has to bring one as bearer token.
   * Several, so that one can take the place of another.
   */
  readonly initialAccessTokens?: readonly string[]
  /** Whether only users who are signed in may register, from pages of this server. Default `false`. */
  readonly signedIn?: boolean
  /**
   * Believes software statements of these issuers: what one says goes before what the client says, and the answer
   * repeats it. One of another issuer, or that is not good, is refused. Default: statements mean nothing.
   */
  readonly softwareStatements?: {
    readonly issuers: readonly StatementIssuer[]
    /** Whether nobody may register without one. Default `false`. */
    readonly required?: boolean
  }
  /**
   * Has the last word, also about changes; anything but `true` refuses. A `StoreUnavailableError` that it throws is
   * answered 503, whatever else it throws 500. Default: yes.
   */
  readonly allow?: (asked: AskedRegistration) => boolean | Promise<boolean>
  /**
   * Whether clients get a token with which they read, replace and delete their registration (RFC 7592). Such a client
   * is never recognised when it registers again. Default `false`.
   */
  readonly management?: boolean
}
