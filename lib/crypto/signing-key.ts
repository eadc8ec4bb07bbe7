import { createPrivateKey, createPublicKey, generateKeyPair, sign, verify, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { calculateJwkThumbprint } from 'jose'
import type { SigningAlgorithm } from '../../types/crypto.js'

/** A key that signs our tokens, wherever its private half is. */
export interface TokenKey {
  /** Names the key in the header of what it signs and in the key set. */
  readonly kid: string
  readonly algorithm: SigningAlgorithm
  readonly publicKey: KeyObject
  /** The signature in the form of JOSE (RFC 7518 §3). Synchronous for a key of our own. */
  sign (bytes: Uint8Array): Uint8Array | Promise<Uint8Array>
}

/** A key whose private half is in this process. */
export interface SigningKey extends TokenKey {
  readonly privateKey: KeyObject
}

const generate = promisify(generateKeyPair)

function generatePair (algorithm: SigningAlgorithm): Promise<{ privateKey: KeyObject, publicKey: KeyObject }> {
  switch (algorithm) {
    case 'ES256': return generate('ec', { namedCurve: 'P-256' })
    case 'RS256': return generate('rsa', { modulusLength: 2048 })
    case 'EdDSA': return generate('ed25519')
  }
}

function localKey (key: Omit<SigningKey, 'sign'>): SigningKey {
  const { algorithm, privateKey } = key
  const digest = digestOf(algorithm)
  const signing = forAlgorithm(algorithm, privateKey)
  return { ...key, sign: (bytes) => sign(digest, bytes, signing) }
}

/**
 * Makes a key: P-256 for ES256, 2048 bits for RS256, Ed25519 for EdDSA (RFC 8037). It is named after the RFC 7638
 * thumbprint of its public half.
 */
export async function createSigningKey (algorithm: SigningAlgorithm): Promise<SigningKey> {
  const { privateKey, publicKey } = await generatePair(algorithm)
  const kid = await calculateJwkThumbprint(publicKey.export({ format: 'jwk' }))
  return localKey({ kid, algorithm, privateKey, publicKey })
}

/** The private key as text. Secret: to be sealed before it goes anywhere. */
export function writePrivateKey ({ privateKey }: SigningKey): string {
  return privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64url')
}

/** The key that `writePrivateKey` wrote. Its public half is computed, not read. */
export function readPrivateKey (input: { kid: string, algorithm: SigningAlgorithm, privateKey: string }): SigningKey {
  const { kid, algorithm } = input
  const der = Buffer.from(input.privateKey, 'base64url')
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  return localKey({ kid, algorithm, privateKey, publicKey: createPublicKey(privateKey) })
}

/** Whether the private half of `key` made this signature. */
export function isSignedBy (
  { algorithm, publicKey }: Pick<TokenKey, 'algorithm' | 'publicKey'>, bytes: Uint8Array, signature: Uint8Array
): boolean {
  return verify(digestOf(algorithm), bytes, forAlgorithm(algorithm, publicKey), signature)
}

/** A JWK Set (RFC 7517 §5) as JSON text, with public members only (AS-M6). */
export function writeJwks (keys: ReadonlyArray<Pick<TokenKey, 'kid' | 'algorithm' | 'publicKey'>>): string {
  return JSON.stringify({
    keys: keys.map(({ kid, algorithm, publicKey }) => ({
      ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: algorithm
    }))
  })
}

function digestOf (algorithm: SigningAlgorithm): string | null {
  return algorithm === 'EdDSA' ? null : 'sha256'
}

function forAlgorithm (algorithm: SigningAlgorithm, key: KeyObject) {
  // RFC 7518 §3.4: r and s side by side, not DER.
  return algorithm === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' as const } : key
}
