import { isThumbprint } from '../protocol/dpop.js'
import type { Confirmation } from '../../types/sender-constraint.js'
import { isClaims, type Claims } from './claims.js'
import { InvalidTokenError } from './errors.js'

/** How a request shows its token. */
export type Scheme = 'bearer' | 'dpop'

/** What a request has to show besides its token. */
export interface NeededProof {
  /** Thumbprint of the key that a DPoP proof has to be signed with. */
  readonly key: string | null
  /** Thumbprint of the certificate that the client has to have. */
  readonly certificate: string | null
}

export const KEY = 'jkt'
export const CERTIFICATE = 'x5t#S256'

/**
 * What the `cnf` of a token says (RFC 7800 §3.1); `null` without one. Whoever takes such a token has to ask for the
 * proof: `neededProof`.
 * @throws {InvalidTokenError} for members that we cannot hold anybody to, and for an empty one (RS-18).
 */
export function readConfirmation (said: Claims): Confirmation | null {
  if (!Object.hasOwn(said, 'cnf')) return null
  const { cnf } = said
  if (!isClaims(cnf)) throw new InvalidTokenError('unknown confirmation')
  assertMembers(cnf)
  return { ...cnf }
}

/**
 * What has to be proved before this principal may be believed, whoever verified its token (RS-18, RFC 9449 §7.1, §7.2,
 * RFC 8705 §3). A token that is bound to a key never passes as a bearer token, and a bearer token never as a bound one.
 * `possible` says which proofs can be asked for at all: what is bound to anything else is refused.
 * @throws {InvalidTokenError}
 */
export function neededProof (
  { confirmation, scheme }: { confirmation: Confirmation | null, scheme: Scheme },
  possible: { readonly dpop: boolean, readonly certificate: boolean }
): NeededProof {
  // A host's own verifier may have put anything there.
  if (confirmation !== null) assertMembers(confirmation)
  const { [KEY]: key = null, [CERTIFICATE]: certificate = null } = confirmation ?? {}
  if (key === null && scheme === 'dpop') throw new InvalidTokenError('not bound to a key')
  if (key !== null && (scheme !== 'dpop' || !possible.dpop)) throw new InvalidTokenError('bound to a key')
  if (certificate !== null && !possible.certificate) throw new InvalidTokenError('bound to a certificate')
  return { key, certificate }
}

function assertMembers (cnf: Claims): asserts cnf is Confirmation {
  const members = Object.entries(cnf)
  const isUnknown = ([name, value]: [string, unknown]): boolean =>
    (name !== KEY && name !== CERTIFICATE) || typeof value !== 'string' || !isThumbprint(value)
  if (members.length === 0 || members.some(isUnknown)) throw new InvalidTokenError('unknown confirmation')
}
