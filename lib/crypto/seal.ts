import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

const CIPHER = 'aes-256-gcm'
const FORMAT = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEAD_BYTES = 1 + NONCE_BYTES

/**
 * Seals a text under a 256-bit key: AES-256-GCM with a random 96-bit nonce, `about` as associated data.
 * Answers base64url of format, nonce, ciphertext and tag. One key may seal 2^32 texts (NIST SP 800-38D §8.3).
 * The length of the text is not hidden.
 */
export function seal (key: Uint8Array, about: string, plaintext: string): string {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(about))
  const ciphertext = cipher.update(plaintext, 'utf8')
  return Buffer.concat([Uint8Array.of(FORMAT), nonce, ciphertext, cipher.final(), cipher.getAuthTag()])
    .toString('base64url')
}

/** Opens what `seal` made with the same key and `about`; answers `null` for every other text. */
export function open (key: Uint8Array, about: string, sealed: string): string | null {
  const bytes = Buffer.from(sealed, 'base64url')
  // Decoding skips what is not base64url: one sealed text has one spelling only.
  if (bytes.length < HEAD_BYTES + TAG_BYTES || bytes[0] !== FORMAT || bytes.toString('base64url') !== sealed) return null

  const end = bytes.length - TAG_BYTES
  const decipher = createDecipheriv(CIPHER, key, bytes.subarray(1, HEAD_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(about))
    .setAuthTag(bytes.subarray(end))
  const start = decipher.update(bytes.subarray(HEAD_BYTES, end))
  try {
    return Buffer.concat([start, decipher.final()]).toString('utf8')
  } catch {
    return null
  }
}
