import { randomId } from '../crypto/digest.js'
import type { Keyring } from '../crypto/keyring.js'
import type { Grant } from '../../types/oauth.js'
import { keysByHeader, signJws, verifyJws } from './jws.js'

/** RFC 9068 §2.1: keeps every other kind of JWT from passing as an access token. */
export const ACCESS_TOKEN_TYPE = 'at+jwt'

export interface AccessTokenInput {
  readonly keyring: Keyring
  readonly issuer: string
  readonly grant: Pick<Grant, 'grantId' | 'clientId' | 'subject' | 'resource' | 'authenticatedAt' | 'acr' | 'amr'>
  /** What the token carries: the grant's scopes or fewer. */
  readonly scopes: readonly string[]
  /** Seconds since the Unix epoch; the token is dead at this second. */
  readonly expiresAt: number
  readonly now: number
}

/**
 * Issues an access token as RFC 9068 §2 says, signed with the keyring's current key (AS-J1). `aud` is the grant's
 * resource, one string. `grant_id` names what a revocation ends. Nothing is stored. Synchronous.
 */
export function issueAccessToken (input: AccessTokenInput): { readonly token: string, readonly expiresIn: number } {
  const { keyring, issuer, grant, scopes, expiresAt, now } = input
  const claims = {
    iss: issuer,
    sub: grant.subject,
    aud: grant.resource,
    client_id: grant.clientId,
    scope: scopes.join(' '),
    iat: now,
    exp: expiresAt,
    jti: randomId(),
    auth_time: grant.authenticatedAt,
    ...(grant.acr === null ? {} : { acr: grant.acr }),
    ...(grant.amr.length === 0 ? {} : { amr: grant.amr }),
    grant_id: grant.grantId
  }
  return { token: signJws({ key: keyring.current, type: ACCESS_TOKEN_TYPE, claims }), expiresIn: expiresAt - now }
}

/**
 * The grant that an access token of ours belongs to, expired or not; `null` for anything that our keys did not sign.
 * For revocation only: says nothing about whether the token is still good.
 */
export function grantIdOfAccessToken (token: string, keyring: Keyring): string | null {
  try {
    const { grant_id: grantId }: { grant_id: string } =
      JSON.parse(verifyJws(token, keysByHeader(keyring, ACCESS_TOKEN_TYPE)))
    return grantId
  } catch {
    return null
  }
}
