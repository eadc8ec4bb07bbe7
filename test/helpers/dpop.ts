import { createSigningKey, type SigningKey } from '../../lib/crypto/signing-key.js'
import { randomId, sha256 } from '../../lib/crypto/digest.js'
import type { SigningAlgorithm } from '../../types/crypto.js'
import { signAnything, type Members } from './foreign-server.js'

/** Of a proof: `undefined` leaves one out. */
export interface ProofChanges {
  readonly claims?: Members
  readonly header?: Members
}

/** A client that has a key, and signs proofs for one address. */
export interface DpopClient {
  readonly key: SigningKey
  readonly jwk: Members
  /** RFC 7638. */
  readonly thumbprint: string
  /** A good proof for `POST`, unless something is changed. */
  proof (token: string | null, changes?: ProofChanges): string
  /** The headers of a request. */
  headers (token: string, changes?: ProofChanges): { readonly authorization: string, readonly dpop: string }
}

const defined = (members: Members): Members =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))

export async function dpopClient (
  { htu, now, algorithm = 'ES256', key: own }:
  { htu: string, now: () => number, algorithm?: SigningAlgorithm, key?: SigningKey }
): Promise<DpopClient> {
  const key = own ?? await createSigningKey(algorithm)
  const jwk: Members = { ...key.publicKey.export({ format: 'jwk' }) }

  function proof (token: string | null, { claims = {}, header = {} }: ProofChanges = {}): string {
    const ath = token === null ? undefined : sha256(token)
    return signAnything(
      defined({ typ: 'dpop+jwt', alg: algorithm, jwk, ...header }),
      defined({ jti: randomId(), htm: 'POST', htu, iat: now(), ath, ...claims }),
      key)
  }
  return {
    key,
    jwk,
    thumbprint: key.kid,
    proof,
    headers: (token, changes) => ({ authorization: `DPoP ${token}`, dpop: proof(token, changes) })
  }
}
