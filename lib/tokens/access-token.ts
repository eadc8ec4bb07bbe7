import { randomId } from '../crypto/digest.js'
import type { Keyring } from '../crypto/keyring.js'
import type { Confirmation } from '../../types/sender-constraint.js'
import { accessTokenClaims, type GrantFacts } from './access-token-claims.js'
import { keysByHeader, seekKey, signJws, verifyJws } from './jws.js'

/** RFC 9068 §2.1: keeps every other kind of JWT from passing as an access token. */
export const ACCESS_TOKEN_TYPE = 'at+jwt'

export interface AccessTokenInput {
  readonly keyring: Keyring
  readonly issuer: string
  readonly grant: GrantFacts
  /** What the token carries: the grant's scopes or fewer. */
  readonly scopes: readonly string[]
  /** What the token is bound to; `null` for a bearer token. */
  readonly confirmation: Confirmation | null
  /** Seconds since the Unix epoch; the token is dead at this second. */
  readonly expiresAt: number
  readonly now: number
}

/**
 * Issues an access token as RFC 9068 §2 says, signed with the keyring's current key (AS-J1). Nothing is stored.
 */
export async function issueAccessToken (input: AccessTokenInput): Promise<string> {
  const { keyring, now } = input
  const claims = { ...accessTokenClaims({ ...input, issuedAt: now }), jti: randomId() }
  return await signJws({ key: keyring.current, type: ACCESS_TOKEN_TYPE, claims })
}

/**
 * The grant that an access token of ours belongs to, expired or not; `null` for anything that our keys did not sign.
 * For revocation only: says nothing about whether the token is still good.
 * @throws {StoreUnavailableError} when a key of ours is sought and cannot be.
 */
export async function grantIdOfAccessToken (token: string, keyring: Keyring): Promise<string | null> {
  const claims = await signedClaims(token, keyring)
  return typeof claims?.grant_id === 'string' ? claims.grant_id : null
}

/**
 * What an access token says that our keys signed, expired or not; `null` for any other.
 * @throws {StoreUnavailableError} when a key of ours is sought and cannot be.
 */
export async function signedClaims (
  token: string, keyring: Keyring
): Promise<Readonly<Record<string, unknown>> | null> {
  const keys = keysByHeader(keyring, ACCESS_TOKEN_TYPE)
  await seekKey(token, keyring, keys)
  try {
    return JSON.parse(verifyJws(token, keys))
  } catch {
    return null
  }
}
