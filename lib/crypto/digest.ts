import { hash, randomBytes, timingSafeEqual } from 'node:crypto'

/** SHA-256 of a text's UTF-8 bytes, base64url, 43 characters. How codes, tokens and handles are kept at rest. */
export function sha256 (text: string): string {
  return hash('sha256', text, 'base64url')
}

/**
 * Whether two texts are the same, in a time that depends on their lengths only, never on where they differ.
 * Texts of different lengths may be compared.
 */
export function secretsEqual (a: string, b: string): boolean {
  const digestsEqual = timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'))
  // UTF-8 knows no lone surrogates and maps them all to one character, so equal digests are not quite enough.
  return digestsEqual && a === b
}

/** `bytes` from the system's random generator, base64url. 16 bytes are 128 bits and 22 characters (AS-G4). */
export function randomId (bytes = 16): string {
  return randomBytes(bytes).toString('base64url')
}
