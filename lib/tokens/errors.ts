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
