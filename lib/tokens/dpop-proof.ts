import { readPublicJwk, type PublicJwk } from '../crypto/public-jwk.js'
import { invalidProof, nonceNeeded, readProofClaims, type ProofClaims, type ProofTarget } from '../protocol/dpop.js'
import { OAuthError } from '../protocol/oauth-error.js'
import type { SignatureAlgorithm } from '../../types/foreign-tokens.js'
import { isClaims, type Claims } from './claims.js'
import { InvalidTokenError } from './errors.js'
import { readForeignJws, verifyForeignJws, type ForeignJws } from './foreign-jws.js'

/** What proofs may be signed with where nothing else is said. */
export const PROOF_ALGORITHMS: readonly SignatureAlgorithm[] = Object.freeze(['ES256', 'RS256', 'PS256', 'EdDSA'])

export interface ProofRules {
  readonly algorithms: readonly SignatureAlgorithm[]
  /** Whether a nonce is a good one; `null` where none is asked for. */
  readonly isGoodNonce: ((nonce: string, now: number) => boolean) | null
}

export interface ProofInput extends ProofTarget {
  /** The header's one value: `soleProof`. */
  readonly proof: string
  /** What the access token is bound to; `null` where the proof is to bind it. */
  readonly thumbprint: string | null
}

export interface Proof extends ProofClaims {
  /** Of the key that signed (RFC 7638). */
  readonly thumbprint: string
}

const TYPES = ['dpop+jwt']

// RFC 7518 §3.1, RFC 8037 §3.1: one kind of key for each.
const CURVES: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521', EdDSA: 'Ed25519' }
const KIND: Readonly<Record<string, PublicJwk['kty']>> = { E: 'EC', R: 'RSA', P: 'RSA' }

/**
 * Checks a DPoP proof (RFC 9449 §4.3 numbers 2 to 12; EX-20) and answers what it says. What costs least comes first:
 * the signature, the one thing that is dear, is only looked at when everything else fits, the key included.
 *
 * Does *not* know whether the proof was used before: ask for that afterwards, by `jti` and `thumbprint`.
 *
 * @throws {OAuthError} `invalid_dpop_proof`, `use_dpop_nonce`, and `invalid_token` for another key than the token's
 * (RFC 9449 §7.1).
 */
export function verifyDpopProof (input: ProofInput, rules: ProofRules): Proof {
  const { proof, thumbprint, now } = input
  const jws = asProof(() => readForeignJws(proof, { algorithms: rules.algorithms, types: TYPES }))
  const jwk = readPublicJwk(Object.hasOwn(jws.header, 'jwk') ? jws.header.jwk : undefined)
  if (jwk === null) throw invalidProof('no public key')
  if (!isFor(jwk, jws.algorithm)) throw invalidProof('key of another algorithm')
  const claims = readProofClaims(claimsOf(jws), input)
  if (thumbprint !== null && jwk.thumbprint !== thumbprint) {
    throw new OAuthError({
      code: 'invalid_token', description: 'The DPoP key binding is not valid', reason: 'bound to another key'
    })
  }
  assertNonce(claims.nonce, rules.isGoodNonce, now)
  const key = jwk.key()
  if (key === null) throw invalidProof('no public key')
  asProof(() => verifyForeignJws(jws, key))
  return { ...claims, thumbprint: jwk.thumbprint }
}

function assertNonce (nonce: string | null, isGood: ProofRules['isGoodNonce'], now: number): void {
  if (isGood === null) return
  if (nonce === null) throw nonceNeeded('no nonce')
  if (!isGood(nonce, now)) throw nonceNeeded('nonce not good any more')
}

function isFor ({ kty, crv }: PublicJwk, algorithm: SignatureAlgorithm): boolean {
  if (algorithm === 'EdDSA') return kty === 'OKP' && crv === CURVES.EdDSA
  return kty === KIND[algorithm.charAt(0)] && crv === (CURVES[algorithm] ?? null)
}

/** Not signed yet: only good to refuse by. */
function claimsOf ({ payload }: ForeignJws): Claims {
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
    if (isClaims(claims)) return claims
  } catch {
    // Not JSON, so no claims either.
  }
  throw invalidProof('no claims')
}

function asProof<T> (read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof InvalidTokenError ? invalidProof(`proof: ${error.reason}`) : error
  }
}
