import { randomId, secretsEqual, sha256 } from '../crypto/digest.js'
import type { Secrets } from '../../types/crypto.js'
import type { Grant, OpaqueAccessToken } from '../../types/oauth.js'
import type { Confirmation } from '../../types/sender-constraint.js'
import { accessTokenClaims } from './access-token-claims.js'
import { InvalidTokenError } from './errors.js'

/** What secret scanners know our access tokens by (AS-J2). */
const PREFIX = 'mcps_at_'
// The grant's id (128 bits) and a secret (256 bits), then an HMAC of both.
const TOKEN = /^mcps_at_(([\w-]{22})[\w-]{43})\.([\w-]{43})$/
const PURPOSE = 'access-tokens'

/** So many tokens of one grant are good at the same time; a new one ends the oldest. */
export const MAX_LIVE_TOKENS = 16

/** Whether a token calls itself an opaque one of ours. Nothing of it is verified. */
export function isOpaqueToken (token: string): boolean {
  return token.startsWith(PREFIX)
}

export interface OpaqueTokenInput {
  readonly secrets: Secrets
  readonly issuer: string
  /** `resource`: the one that the token is for. */
  readonly grant: Pick<Grant, 'grantId' | 'resource' | 'authorizationDetails' | 'accessTokens'>
  /** What the token carries: the grant's scopes or fewer. */
  readonly scopes: readonly string[]
  /** What the token is bound to; `null` for a bearer token. */
  readonly confirmation: Confirmation | null
  /** Seconds since the Unix epoch; the token is dead at this second. */
  readonly expiresAt: number
  readonly now: number
}

/**
 * Makes an access token that says nothing (AS-J2), and the grant's list with its digest in it: the token is good as
 * soon as the grant's record holds that list, and the record never holds the token. Dead tokens are left out of the
 * list, and the oldest ones when more than `MAX_LIVE_TOKENS` would live.
 */
export function issueOpaqueToken (
  { secrets, issuer, grant, scopes, confirmation, expiresAt, now }: OpaqueTokenInput
): { readonly token: string, readonly accessTokens: readonly OpaqueAccessToken[] } {
  const stem = `${grant.grantId}${randomId(32)}`
  const token = `${PREFIX}${stem}.${secrets.mac(PURPOSE, stem)}`
  const { resource, authorizationDetails = [] } = grant
  const said = authorizationDetails.length === 0 ? {} : { authorizationDetails }
  const bound = confirmation === null ? {} : { confirmation }
  const entry = { digest: sha256(token), issuer, resource, scopes, ...said, issuedAt: now, expiresAt, ...bound }
  return { token, accessTokens: [...liveTokens(grant, now), entry].slice(-MAX_LIVE_TOKENS) }
}

/** The opaque tokens of a grant that have not expired. */
export function liveTokens ({ accessTokens = [] }: Pick<Grant, 'accessTokens'>, now: number): readonly OpaqueAccessToken[] {
  return accessTokens.filter(({ expiresAt }) => now < expiresAt)
}

/**
 * The grant's id when we once issued this very token, however long ago; `null` for anything else, so that a flood of
 * made-up tokens asks the store nothing. Says nothing about whether the token is still good.
 */
export function grantIdOfOpaqueToken (token: string, secrets: Secrets): string | null {
  const [, stem = '', grantId = '', tag = ''] = TOKEN.exec(token) ?? []
  return stem !== '' && secrets.verifyMac(PURPOSE, stem, tag) ? grantId : null
}

/**
 * What a token of this grant says, found by its digest (RS-29). Does *not* look at issuer, audience and times.
 * @throws {InvalidTokenError} when the grant has ended, or does not know the token (any more).
 */
export function claimsOfOpaqueToken (token: string, grant: Grant | null): Readonly<Record<string, unknown>> {
  if (grant === null || grant.status !== 'active') throw new InvalidTokenError('the grant has ended')
  const digest = sha256(token)
  const [found] = (grant.accessTokens ?? []).filter((one) => secretsEqual(one.digest, digest))
  if (found === undefined) throw new InvalidTokenError('not among the tokens of its grant')
  const { resource = grant.resource, authorizationDetails = [] } = found
  return accessTokenClaims({ confirmation: null, ...found, grant: { ...grant, resource, authorizationDetails } })
}
