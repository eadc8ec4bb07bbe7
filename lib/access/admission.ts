import type { Principal } from '../../types/principal.js'

export interface Door {
  /** The resource that is guarded. */
  readonly resource: string
  /** Seconds since the Unix epoch. */
  readonly now: number
  /** Whether everybody has to prove that the credential is theirs (RFC 9449, RFC 8705). */
  readonly senderConstrained?: boolean
}

export type NotAdmitted = 'wrong audience' | 'expired' | 'not sender-constrained'

/**
 * Holds every principal, whoever verified it, against what may never be left to a verifier alone: that the credential
 * is for this resource, byte for byte (RS-14), that it is not dead at this second, and that it is bound to its sender
 * where it has to be. Answers why it is not admitted, for the audit event, or `null`. Does *not* ask for the proof of a
 * bound one.
 */
export function whyNotAdmitted (principal: Principal, door: Door): NotAdmitted | null {
  if (principal.resource !== door.resource) return 'wrong audience'
  // What is no time at all is no end that is still to come.
  if (principal.expiresAt !== null && !(principal.expiresAt > door.now)) return 'expired'
  if (door.senderConstrained === true && principal.confirmation === null) return 'not sender-constrained'
  return null
}
