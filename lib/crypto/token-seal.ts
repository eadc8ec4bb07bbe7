import { hkdfSync } from 'node:crypto'
import { open, seal } from './seal.js'

const KEY_BYTES = 32
const SALT = 'fastify-mcp-security/token-seal'

function keyOf (token: string, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', token, SALT, purpose, KEY_BYTES))
}

/**
 * Seals a text under a key that only the bearer of `token` can derive (HKDF-SHA-256): whoever has the store, and
 * even the operator's secrets, but not the token cannot open it. The token must have at least 128 random bits.
 */
export function sealUnder (token: string, purpose: string, plaintext: string): string {
  return seal(keyOf(token, purpose), purpose, plaintext)
}

/** Opens what `sealUnder` made of the same token and purpose; answers `null` for every other text. */
export function openUnder (token: string, purpose: string, sealed: string): string | null {
  return open(keyOf(token, purpose), purpose, sealed)
}
