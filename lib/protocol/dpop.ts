import { normalHttpUri } from './http-uri.js'
import { OAuthError } from './oauth-error.js'

/** Seconds that a proof may be old, or its client's clock ahead (RFC 9449 §11.1). */
export const PROOF_WINDOW = 300

/** What the request is that a proof has to be made for. */
export interface ProofTarget {
  readonly method: string
  /** As `normalHttpUri` writes it; made of the configuration and the request's path, never of `Host`. */
  readonly uri: string
  /** base64url of the SHA-256 of the access token that comes along; `null` where none does. */
  readonly accessTokenHash: string | null
  readonly now: number
}

export interface ProofClaims {
  readonly jti: string
  readonly iat: number
  readonly nonce: string | null
}

/** A proof with an RSA key of 4096 bits has half of this. A longer one is not worth a look. */
const MAX_PROOF = 4096
const MAX_JTI = 256
const MAX_NONCE = 512

// SHA-256 in base64url.
const THUMBPRINT = /^[\w-]{43}$/

/** Whether it may be the thumbprint of a key (RFC 7638) or of a certificate (RFC 8705 §3.1). */
export const isThumbprint = (text: string): boolean => THUMBPRINT.test(text)

/**
 * The one DPoP proof of a request, of the lines of its `DPoP` header, not yet looked at (RFC 9449 §4.3 number 1). At
 * most 4096 characters.
 * @throws {OAuthError} `invalid_dpop_proof` without a `DPoP` header, and with two.
 */
export function soleProof (lines: readonly string[]): string {
  const [proof, ...others] = lines
  if (proof === undefined) throw invalidProof('no DPoP header')
  if (others.length > 0) throw invalidProof('more than one DPoP header')
  if (proof.length > MAX_PROOF) throw invalidProof('proof too long')
  return proof
}

/**
 * Holds what a proof says against the request that it came with (RFC 9449 §4.3 numbers 3, 8, 9, 11, 12; EX-20). Texts
 * are compared exactly, `htu` without its query and fragment and in normal form, times to the second: a proof is good
 * from 300 seconds before to 300 seconds after its `iat`.
 *
 * Does *not* know who signed it, whether it was used before, or whether the nonce is a good one.
 *
 * @throws {OAuthError} `invalid_dpop_proof`; the description does not say which check failed.
 */
export function readProofClaims (claims: Readonly<Record<string, unknown>>, target: ProofTarget): ProofClaims {
  const { method, uri, accessTokenHash, now } = target
  const jti = text(claims, 'jti', MAX_JTI)
  if (text(claims, 'htm', MAX_JTI) !== method) throw invalidProof('htm is not the method')
  if (normalHttpUri(text(claims, 'htu', Infinity)) !== uri) throw invalidProof('htu is not the address')
  const iat = Object.hasOwn(claims, 'iat') ? claims.iat : undefined
  if (typeof iat !== 'number' || !Number.isFinite(iat)) throw invalidProof('no iat')
  if (iat < now - PROOF_WINDOW) throw invalidProof('iat is too old')
  if (iat > now + PROOF_WINDOW) throw invalidProof('iat is in the future')
  if (accessTokenHash !== null && text(claims, 'ath', MAX_JTI) !== accessTokenHash) {
    throw invalidProof('ath is not of the access token')
  }
  const nonce = Object.hasOwn(claims, 'nonce') ? text(claims, 'nonce', MAX_NONCE) : null
  return { jti, iat, nonce }
}

function text (claims: Readonly<Record<string, unknown>>, name: string, longest: number): string {
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined
  if (typeof value !== 'string' || value === '' || value.length > longest) throw invalidProof(`no ${name}`)
  return value
}

/** One description for every reason (RS-29). */
export function invalidProof (reason: string): OAuthError {
  return new OAuthError({ code: 'invalid_dpop_proof', description: 'The DPoP proof is not valid', reason })
}

/** The client has to come again with the nonce that the answer brings (RFC 9449 §8, §9). */
export function nonceNeeded (reason: string): OAuthError {
  return new OAuthError({ code: 'use_dpop_nonce', description: 'The DPoP proof needs a nonce', reason })
}
