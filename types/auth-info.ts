/**
 * What the MCP SDK's request handlers get as `extra.authInfo`: its `AuthInfo`, member for member, declared here so
 * that hosts without the SDK compile. A type test holds both equal.
 */
export interface AuthInfo {
  token: string
  clientId: string
  scopes: string[]
  /** Seconds since the Unix epoch. */
  expiresAt?: number
  resource?: URL
  /** `principal`: what `request.mcpAuth` is. */
  extra?: Record<string, unknown>
}
