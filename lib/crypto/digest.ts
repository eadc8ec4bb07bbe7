import { hash, randomFillSync, timingSafeEqual } from 'node:crypto'

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

// Asking the system costs more than making an id of what it answers: many are asked for at once. None stays in memory.
const pool = Buffer.alloc(4096)
let used = pool.length

/** `bytes`, at most 4096, of the system's random generator, base64url. 16 are 128 bits and 22 characters (AS-G4). */
export function randomId (bytes = 16): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const end = used + bytes
  const id = pool.toString('base64url', used, end)
  pool.fill(0, used, end)
  used = end
  return id
}
