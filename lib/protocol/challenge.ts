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
  /** How sure the sign-in has to be (RFC 9470 §3). */
  readonly assurance?: { readonly acr?: readonly string[], readonly maxAge?: number }
  /** Where DPoP is possible: a second challenge, or the only one. */
  readonly dpop?: DpopChallenge | null
}

export interface DpopChallenge {
  readonly algorithms: readonly string[]
  /** Whether tokens are taken under this scheme alone. */
  readonly alone: boolean
  /** Whether `error` is about a token that was shown under this scheme. */
  readonly failed?: boolean
}

const MAX_DESCRIPTION = 200
// RFC 6750 §3 allows %x20-21 / %x23-5B / %x5D-7E; an equals sign misleads the parsers of both SDKs.
const NOT_PLAIN = /[^ !#-<>-[\]-~]+/g

const isReadable = (name: string): boolean => isScopeToken(name) && !name.includes('=')

/**
 * The value of `WWW-Authenticate` for a bearer resource (RFC 6750 §3, RFC 9728 §5.1), in the one order that every MCP
 * client reads: resource_metadata, scope, error, error_description (requirements 4.5), with what RFC 9470 adds before
 * the last. The same input gives the same text, so a client can notice that it goes round in circles. Scopes and
 * classes of authentication that could not be read back are left out.
 *
 * With `dpop` a second challenge follows in the same line (RFC 9449 §7.1, §7.2; EX-22): Bearer first, since older
 * clients read nothing else, and `error` in the one that it is about.
 */
export function buildChallenge (challenge: Challenge): string {
  const { resourceMetadata, scope = [], error, description, assurance = {}, dpop = null } = challenge
  const place = [`resource_metadata="${resourceMetadata}"`]
  const scopes = scope.filter(isReadable)
  if (scopes.length > 0) place.push(`scope="${scopes.join(' ')}"`)
  const wrong: string[] = []
  if (error !== undefined) wrong.push(`error="${error}"`)
  const acr = assurance.acr?.filter(isReadable) ?? []
  if (acr.length > 0) wrong.push(`acr_values="${acr.join(' ')}"`)
  if (assurance.maxAge !== undefined) wrong.push(`max_age="${assurance.maxAge}"`)
  const plain = (description ?? '').replace(NOT_PLAIN, ' ').trim().slice(0, MAX_DESCRIPTION)
  if (plain !== '') wrong.push(`error_description="${plain}"`)
  if (dpop === null) return `Bearer ${[...place, ...wrong].join(', ')}`

  const { algorithms, alone, failed = false } = dpop
  const algs = `algs="${algorithms.join(' ')}"`
  if (alone) return `DPoP ${[...place, ...wrong, algs].join(', ')}`
  return failed
    ? `Bearer ${place.join(', ')}, DPoP ${[...wrong, algs].join(', ')}`
    : `Bearer ${[...place, ...wrong].join(', ')}, DPoP ${algs}`
}
