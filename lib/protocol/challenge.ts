import type { OAuthErrorCode } from './oauth-error.js'
import { isScopeToken } from './scopes.js'

export interface Challenge {
  /** URL of the protected resource metadata (RFC 9728 §5.1). */
  readonly resourceMetadata: string
  /** All the scopes that are needed at once; left out when empty (RS-22, RS-23). */
  readonly scope?: readonly string[]
  /** Left out when the request showed no credential at all (RS-21). */
  readonly error?: OAuthErrorCode
  /** Sanitized here: whatever may not stand in it becomes a blank. At most 200 characters. */
  readonly description?: string
}

const MAX_DESCRIPTION = 200
// RFC 6750 §3 allows %x20-21 / %x23-5B / %x5D-7E; an equals sign misleads the parsers of both SDKs.
const NOT_PLAIN = /[^ !#-<>-[\]-~]+/g

/**
 * The value of `WWW-Authenticate` for a bearer resource (RFC 6750 §3, RFC 9728 §5.1), in the one order that every MCP
 * client reads: resource_metadata, scope, error, error_description (requirements 4.5). The same input gives the same
 * text, so a client can notice that it goes round in circles. Scopes that could not be read back are left out.
 */
export function buildChallenge ({ resourceMetadata, scope = [], error, description }: Challenge): string {
  const parts = [`resource_metadata="${resourceMetadata}"`]
  const scopes = scope.filter((name) => isScopeToken(name) && !name.includes('='))
  if (scopes.length > 0) parts.push(`scope="${scopes.join(' ')}"`)
  if (error !== undefined) parts.push(`error="${error}"`)
  const plain = (description ?? '').replace(NOT_PLAIN, ' ').trim().slice(0, MAX_DESCRIPTION)
  if (plain !== '') parts.push(`error_description="${plain}"`)
  return `Bearer ${parts.join(', ')}`
}
