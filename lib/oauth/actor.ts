import { claimAt, isClaims, textClaim, type Claims } from '../tokens/claims.js'
import { InvalidTokenError } from '../tokens/errors.js'
import type { Actor } from '../../types/oauth.js'

/** So many act for each other at most. */
const MAX_DEPTH = 5

/**
 * Who acts for the user, and for whom that one acts (RFC 8693 §4.1); nothing without such a claim. Says who was there,
 * and gives nobody anything.
 * @throws {InvalidTokenError} for a malformed one, and for a chain of more than five.
 */
export function readActor (claims: Claims): { readonly actor?: Actor } {
  const said = claimAt(claims, 'act')
  return said === undefined ? {} : { actor: actorOf(said, 1) }
}

function actorOf (said: unknown, depth: number): Actor {
  if (!isClaims(said) || depth > MAX_DEPTH) throw new InvalidTokenError('malformed act')
  const sub = textClaim(said, 'sub')
  const iss = textClaim(said, 'iss')
  const before = claimAt(said, 'act')
  if (sub === null) throw new InvalidTokenError('malformed act')
  return { sub, ...(iss === null ? {} : { iss }), ...(before === undefined ? {} : { act: actorOf(before, depth + 1) }) }
}
