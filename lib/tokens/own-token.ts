import type { Keyring } from '../crypto/keyring.js'
import type { Secrets } from '../../types/crypto.js'
import type { Grant } from '../../types/oauth.js'
import { signedClaims } from './access-token.js'
import { claimsOfOpaqueToken, grantIdOfOpaqueToken } from './opaque-token.js'
import { ownPrincipalOf, type OwnPrincipal } from './own-principal.js'

export interface OwnTokens {
  readonly keyring: Keyring
  readonly secrets: Secrets
  readonly issuer: string
  readonly tenant: string
  readonly grants: { readonly find: (grantId: string, now: number) => Promise<Grant | null> }
}

/**
 * Whom an access token of ours stands for, of either format and for whichever resource; `null` unless it is good now:
 * ours, of this issuer, not expired, its grant not ended. Looks at the store for tokens of ours only, and each time.
 * For those who tell others about a token: a guard has a verifier for its resource.
 */
export async function findOwnToken (token: string, tokens: OwnTokens, now: number): Promise<OwnPrincipal | null> {
  const { keyring, secrets, issuer, tenant, grants } = tokens
  const opaque = grantIdOfOpaqueToken(token, secrets)
  const signed = opaque === null ? await signedClaims(token, keyring) : null
  const grantId = opaque ?? signed?.grant_id
  const grant = typeof grantId === 'string' ? await grants.find(grantId, now) : null
  if (grant === null || grant.status !== 'active') return null
  try {
    const claims = signed ?? claimsOfOpaqueToken(token, grant)
    return ownPrincipalOf(claims, { issuer, tenant, resource: String(claims.aud) }, now)
  } catch {
    return null
  }
}
