import type { Grant } from '../../types/oauth.js'
import type { Confirmation } from '../../types/sender-constraint.js'

/** What `sub_type` says of a token whose `sub` is no user. A user's token has no such claim. */
export const CLIENT_SUBJECT = 'client'

/** What an access token tells of its grant. */
export type GrantFacts = Pick<Grant,
  'grantId' | 'clientId' | 'subject' | 'resource' | 'authorizationDetails' | 'authenticatedAt' | 'acr' | 'amr' |
  'actor' | 'mayAct'>

export interface AccessTokenFacts {
  readonly issuer: string
  readonly grant: GrantFacts
  /** What the token carries: the grant's scopes or fewer. */
  readonly scopes: readonly string[]
  /** What the token is bound to; `null` for a bearer token. */
  readonly confirmation: Confirmation | null
  /** Seconds since the Unix epoch. */
  readonly issuedAt: number
  /** Seconds since the Unix epoch; the token is dead at this second. */
  readonly expiresAt: number
}

/**
 * The claims of an access token of ours (RFC 9068 §2.2), the same for both formats: a JWT says them, of an opaque token
 * the grant's record does. `aud` is the grant's resource, one string. `cnf` says what the token is bound to (RFC 7800).
 * `grant_id` names what a revocation ends. Where no user took part, `sub` is the client's id, and `sub_type` says so:
 * only then (RFC 9068 §2.2, RS-19).
 */
export function accessTokenClaims (facts: AccessTokenFacts) {
  const { issuer, grant, scopes, confirmation, issuedAt, expiresAt } = facts
  const { authorizationDetails: details = [] } = grant
  return {
    iss: issuer,
    sub: grant.subject ?? grant.clientId,
    ...(grant.subject === null ? { sub_type: CLIENT_SUBJECT } : {}),
    aud: grant.resource,
    client_id: grant.clientId,
    scope: scopes.join(' '),
    ...(details.length === 0 ? {} : { authorization_details: details }),
    iat: issuedAt,
    exp: expiresAt,
    ...(grant.authenticatedAt === null ? {} : { auth_time: grant.authenticatedAt }),
    ...(grant.acr === null ? {} : { acr: grant.acr }),
    ...(grant.amr.length === 0 ? {} : { amr: grant.amr }),
    ...(grant.actor === undefined ? {} : { act: grant.actor }),
    ...(grant.mayAct === undefined ? {} : { may_act: grant.mayAct }),
    ...(confirmation === null ? {} : { cnf: confirmation }),
    grant_id: grant.grantId
  }
}
