import { StoreUnavailableError } from '../stores/errors.js'

/** A token that is not good here. `reason` goes to the audit event and never to the client (RS-29). */
export class InvalidTokenError extends Error {
  readonly code = 'MCPS_ERR_INVALID_TOKEN'
  override readonly name = 'InvalidTokenError'
  /** A stable phrase of our own, never text of the token. */
  readonly reason: string

  constructor (reason: string) {
    super(`the token is not valid: ${reason}`)
    this.reason = reason
  }
}

/** The reason when another authorization server cannot be reached, or does not answer as it should. */
export const SERVER_DOWN = 'authorization server unavailable'

/**
 * Another server, or the host's own code, cannot tell now whether a token is good. Answered 503 with `Retry-After`,
 * never open and never 401 (RS-16). `reason` goes to the audit event, so that an outage of theirs does not look like
 * one of our store.
 */
export class VerifierUnavailableError extends StoreUnavailableError {
  /** A stable phrase of our own. */
  readonly reason: string

  constructor (reason: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}
