import { secretsEqual, sha256 } from '../crypto/digest.js'
import type { BearerCredentials } from '../protocol/bearer.js'
import { OAuthError } from '../protocol/oauth-error.js'

/**
 * Asks for one of these tokens (RFC 7591 §3), compared by digest in constant time with each of them.
 * @throws {OAuthError} `invalid_token`, one description for every reason
 */
export function createInitialAccess (tokens: readonly string[]): (credentials: BearerCredentials) => void {
  const digests = tokens.map(sha256)
  return (credentials) => {
    if (credentials.type !== 'token' || credentials.scheme !== 'bearer') throw refusal('no initial access token')
    const digest = sha256(credentials.token)
    if (!digests.map((one) => secretsEqual(digest, one)).includes(true)) throw refusal('wrong initial access token')
  }
}

function refusal (reason: string): OAuthError {
  return new OAuthError({ code: 'invalid_token', description: 'a token for registering is needed', reason })
}
