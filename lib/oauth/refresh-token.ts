import { randomId } from '../crypto/digest.js'
import type { Secrets } from '../../types/crypto.js'

// grantId (128 bits), secret (256 bits), and an HMAC of both, base64url.
const REFRESH_TOKEN = /^(([\w-]{22})\.[\w-]{43})\.([\w-]{43})$/

/** A new refresh token of this grant. Unguessable; only its digest may be stored. */
export function mintRefreshToken (grantId: string, secrets: Secrets): string {
  const stem = `${grantId}.${randomId(32)}`
  return `${stem}.${secrets.mac('refresh-tokens', stem)}`
}

/**
 * Answers the grant's id when we once issued this very token, however long ago; `null` for anything else. Tells a
 * stale token, which betrays a theft, from a guess, which must not harm the grant that it names.
 */
export function grantIdOfRefreshToken (token: string, secrets: Secrets): string | null {
  const [, stem = '', grantId = '', tag = ''] = REFRESH_TOKEN.exec(token) ?? []
  return stem !== '' && secrets.verifyMac('refresh-tokens', stem, tag) ? grantId : null
}
