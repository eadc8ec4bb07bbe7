import type { Principal } from '../../types/principal.js'

export interface Door {
  /** The resource that is guarded. */
  readonly resource: string
  /** Seconds since the Unix epoch. */
  readonly now: number
}

/**
 * Holds every principal, whoever verified it, against the two things that may never be left to a verifier alone:
 * that the credential is for this resource, byte for byte (RS-14), and that it is not dead at this second.
 * Answers why it is not admitted, for the audit event, or `null`.
 */
export function whyNotAdmitted (principal: Principal, door: Door): 'wrong audience' | 'expired' | null {
  if (principal.resource !== door.resource) return 'wrong audience'
  if (principal.expiresAt !== null && principal.expiresAt <= door.now) return 'expired'
  return null
}
