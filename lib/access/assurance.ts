import type { AssuranceRule } from '../../types/access.js'
import type { Principal } from '../../types/principal.js'

/** Seconds by which the clock of an issuer may be ahead of ours. */
const AHEAD = 60

/** So that whatever is no time is not fresh, also where a verifier of the host left it out. */
const isFresh = (authenticatedAt: number | null, maxAge: number, now: number): boolean =>
  authenticatedAt !== null && authenticatedAt <= now + AHEAD && now - authenticatedAt <= maxAge

/**
 * Whether the sign-in behind a credential is as fresh and as strong as a rule wants it (RFC 9470). `maxAge` counts from
 * the sign-in and holds up to that very second; a sign-in in the future is none.
 */
export function isAssured (principal: Principal, { maxAge, acr, amr }: AssuranceRule, now: number): boolean {
  if (maxAge !== undefined && !isFresh(principal.authenticatedAt, maxAge, now)) return false
  if (acr !== undefined && !acr.some((one) => one === principal.acr)) return false
  return amr === undefined || amr.every((method) => principal.amr.includes(method))
}
