/** What the store keeps sealed cannot be opened with the configured secrets. Stops the boot. */
export class SecretsError extends Error {
  readonly code = 'MCPS_ERR_SECRETS'
  override readonly name = 'SecretsError'
}
