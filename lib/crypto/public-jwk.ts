import { createPublicKey, type KeyObject } from 'node:crypto'
import { sha256 } from './digest.js'

/** A public key as a client sends it along. Nothing shows yet that anybody has the private half. */
export interface PublicJwk {
  /** RFC 7638, SHA-256, base64url. */
  readonly thumbprint: string
  readonly kty: 'EC' | 'RSA' | 'OKP'
  readonly crv: string | null
  /** The key itself; `null` when the numbers are none. */
  key (): KeyObject | null
}

type Kind = PublicJwk['kty']

// RFC 7638 §3.2 and RFC 8037 §2: in this order, and all that a key needs.
const MEMBERS: Readonly<Record<Kind, readonly string[]>> = {
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
  RSA: ['e', 'kty', 'n']
}
// RFC 7518 §6.2.2, §6.3.2, §6.4.
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
const NUMBER = /^[\w-]+$/
/** 4096 bits. */
const MAX_NUMBER = 683
/** A longer exponent makes each verification slow. */
const MAX_EXPONENT = 6

/**
 * Reads a public key in JWK form (RFC 7517 §4): what it needs to be one, by own members, of bounded length, and nothing
 * else; `alg`, `kid`, `use` and the like mean nothing here. Answers `null` for anything else, private keys included,
 * which were never to be sent.
 */
export function readPublicJwk (value: unknown): PublicJwk | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const given = new Map<string, unknown>(Object.entries(value))
  const kty = given.get('kty')
  if (kty !== 'EC' && kty !== 'RSA' && kty !== 'OKP') return null
  if (PRIVATE.some((name) => given.has(name))) return null
  const jwk: Record<string, string> = {}
  for (const name of MEMBERS[kty]) {
    const member = given.get(name)
    if (typeof member !== 'string' || !isBounded(name, member)) return null
    jwk[name] = member
  }
  return { thumbprint: sha256(JSON.stringify(jwk)), kty, crv: jwk.crv ?? null, key: () => keyOf(jwk) }
}

function isBounded (name: string, member: string): boolean {
  return member.length <= (name === 'e' ? MAX_EXPONENT : MAX_NUMBER) && NUMBER.test(member)
}

function keyOf (jwk: Record<string, string>): KeyObject | null {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' })
  } catch {
    return null
  }
}
