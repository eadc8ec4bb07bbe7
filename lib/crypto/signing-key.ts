import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { calculateJwkThumbprint } from 'jose'
import type { SigningAlgorithm } from '../../types/crypto.js'

export interface SigningKey {
  /** The RFC 7638 thumbprint of the public key. */
  readonly kid: string
  readonly algorithm: SigningAlgorithm
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

const generate = promisify(generateKeyPair)

function generatePair (algorithm: SigningAlgorithm): Promise<{ privateKey: KeyObject, publicKey: KeyObject }> {
  switch (algorithm) {
    case 'ES256': return generate('ec', { namedCurve: 'P-256' })
    case 'RS256': return generate('rsa', { modulusLength: 2048 })
    case 'EdDSA': return generate('ed25519')
  }
}

/** Makes a key: P-256 for ES256, 2048 bits for RS256, Ed25519 for EdDSA (RFC 8037). */
export async function createSigningKey (algorithm: SigningAlgorithm): Promise<SigningKey> {
  const { privateKey, publicKey } = await generatePair(algorithm)
  const kid = await calculateJwkThumbprint(publicKey.export({ format: 'jwk' }))
  return { kid, algorithm, privateKey, publicKey }
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
  return { kid, algorithm, privateKey, publicKey: createPublicKey(privateKey) }
}

/** A JWK Set (RFC 7517 §5) as JSON text, with public members only (AS-M6). */
export function writeJwks (keys: readonly SigningKey[]): string {
  return JSON.stringify({
    keys: keys.map(({ kid, algorithm, publicKey }) => ({
      ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: algorithm
    }))
  })
}
