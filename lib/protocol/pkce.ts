import { hash, timingSafeEqual } from 'node:crypto'
import { OAuthError } from './oauth-error.js'

// RFC 7636 §4.1: code-verifier = 43*128unreserved
const VERIFIER = /^[A-Za-z0-9\-._~]{43,128}$/
// A SHA-256 digest in base64url is always 43 characters.
const S256_CHALLENGE = /^[A-Za-z0-9_-]{43}$/

/**
 * Answers the challenge of an authorization request (AS-A6). Only `S256` is accepted; a request without
 * `code_challenge_method` means `plain` (RFC 7636 §4.3) and is refused.
 * @throws {OAuthError} `invalid_request`
 */
export function assertCodeChallenge (
  { challenge, method }: { challenge: string | undefined, method: string | undefined }
): string {
  if (challenge === undefined) throw refusal('code_challenge is missing: PKCE is required')
  if (method !== 'S256') throw refusal('code_challenge_method must be S256')
  if (!S256_CHALLENGE.test(challenge)) throw refusal('code_challenge must be 43 base64url characters')
  return challenge
}

/**
 * Checks a verifier against the challenge of its authorization request (RFC 7636 §4.6, AS-T5). Constant time.
 * @throws {OAuthError} `invalid_grant`; the description does not say which check failed.
 */
export function assertCodeVerifier (
  { verifier, challenge }: { verifier: string | undefined, challenge: string }
): void {
  if (verifier === undefined) throw mismatch('no code verifier')
  if (!VERIFIER.test(verifier)) throw mismatch('malformed code verifier')
  const digest = Buffer.from(hash('sha256', verifier, 'base64url'))
  const expected = Buffer.from(challenge)
  if (digest.length !== expected.length || !timingSafeEqual(digest, expected)) throw mismatch('wrong code verifier')
}

function refusal (description: string): OAuthError {
  return new OAuthError({ code: 'invalid_request', description })
}

function mismatch (reason: string): OAuthError {
  const description = 'the authorization code or its verifier is not valid'
  return new OAuthError({ code: 'invalid_grant', description, reason })
}
