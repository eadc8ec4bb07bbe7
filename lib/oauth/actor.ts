import { claimAt, isClaims, textClaim, type Claims } from '../tokens/claims.js'
import { InvalidTokenError } from '../tokens/errors.js'
import type { Actor, Grant } from '../../types/oauth.js'

/** So many act for each other at most. */
const MAX_DEPTH = 5

/**
 * Who acts for the user, and for whom that one acts (RFC 8693 §4.1), and who alone may act in times to come (§4.4);
 * nothing where there are no such claims. Says who was there, and gives nobody anything.
 * @throws {InvalidTokenError} for a malformed one, and for a chain of more than five.
 */
export function readActors (claims: Claims): Pick<Grant, 'actor' | 'mayAct'> {
  const acts = claimAt(claims, 'act')
  const mayAct = claimAt(claims, 'may_act')
  return {
    ...(acts === undefined ? {} : { actor: actorOf(acts, 1) }),
    ...(mayAct === undefined ? {} : { mayAct: actorOf(mayAct, 1) })
  }
}

function actorOf (said: unknown, depth: number): Actor {
  if (!isClaims(said) || depth > MAX_DEPTH) throw new InvalidTokenError('malformed act')
  const sub = textClaim(said, 'sub')
  const iss = textClaim(said, 'iss')
  const before = claimAt(said, 'act')
  if (sub === null) throw new InvalidTokenError('malformed act')
  return { sub, ...(iss === null ? {} : { iss }), ...(before === undefined ? {} : { act: actorOf(before, depth + 1) }) }
}
