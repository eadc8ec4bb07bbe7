/** The store cannot be reached or is full. Answered 503 with `Retry-After`, never open and never 401 (RS-16). */
export class StoreUnavailableError extends Error {
  readonly code = 'MCPS_ERR_STORE_UNAVAILABLE'
  override readonly name = 'StoreUnavailableError'
}
