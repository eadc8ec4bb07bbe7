import type { Principal, TokenVerifier } from '../../types/principal.js'
import { InvalidTokenError } from './errors.js'

/**
 * Whether a credential may end before it expires. What a foreign token says it says by itself: its issuer takes nothing
 * back (RFC 9068); and nobody in particular has nothing to lose.
 */
export const isRevocable = ({ credential }: Principal): boolean =>
  credential !== 'foreign-token' && credential !== 'anonymous'

/**
 * Whether a token that was good when a request came is so still; `null` when nobody can say. An own token is looked up
 * each time. Every other only when its verifier no longer recalls it: as often as that asks its server anyway.
 */
export async function stillHolds (
  verifier: TokenVerifier, asked: { readonly token: string, readonly principal: Principal, readonly now: number }
): Promise<boolean | null> {
  const { token, principal, now } = asked
  try {
    if (principal.credential !== 'access-token' && verifier.recall(token, now) !== undefined) return true
    await verifier.verify(token, now)
    return true
  } catch (error) {
    return error instanceof InvalidTokenError ? false : null
  }
}
