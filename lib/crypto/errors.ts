/** A key outside of this process cannot sign now. Answered 503 with `Retry-After`. */
export class SignerError extends Error {
  readonly code = 'MCPS_ERR_SIGNER'
  override readonly name = 'SignerError'
}

/** What the store keeps sealed cannot be opened with the configured secrets. Stops the boot. */
export class SecretsError extends Error {
  readonly code = 'MCPS_ERR_SECRETS'
  override readonly name = 'SecretsError'
}
