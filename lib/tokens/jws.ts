import type { Keyring, TokenKey } from '../crypto/keyring.js'
import { isSignedBy } from '../crypto/signing-key.js'
import { InvalidTokenError } from './errors.js'

const PARTS = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/
/** Characters; ours have far fewer. */
const MAX_HEADER = 512

/** The keys of a keyring, each under the one encoded header that we sign with it. */
export interface KeysByHeader {
  get (header: string): TokenKey | undefined
}

/** Signs a JWT in compact form (RFC 7515 §7.1). 20 us for ES256. */
export async function signJws (
  { key, type, claims }: { key: Pick<TokenKey, 'kid' | 'algorithm' | 'sign'>, type: string, claims: object }
): Promise<string> {
  const text = `${headerOf(key, type)}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
  const signature = await key.sign(Buffer.from(text))
  return `${text}.${Buffer.from(signature).toString('base64url')}`
}

/** Build it once, at boot: it follows the keyring. */
export function keysByHeader (keyring: Pick<Keyring, 'keys'>, type: string): KeysByHeader {
  let keys: Keyring['keys'] = []
  let byHeader: ReadonlyMap<string, TokenKey> = new Map()
  return {
    get (header) {
      if (keys !== keyring.keys) {
        keys = keyring.keys
        byHeader = new Map(keys.map((key) => [headerOf(key, type), key]))
      }
      return byHeader.get(header)
    }
  }
}

/**
 * Waits for the key of a token that another instance signed with a key which this one has not seen. Does nothing for
 * a key that is known, or was never ours.
 * @throws {StoreUnavailableError} when nobody can say whether there is such a key.
 */
export async function seekKey (token: string, keyring: Pick<Keyring, 'seek'>, keys: KeysByHeader): Promise<void> {
  const header = token.slice(0, Math.max(0, token.indexOf('.')))
  if (header === '' || header.length > MAX_HEADER || keys.get(header) !== undefined) return
  const kid = kidOf(header)
  if (kid !== null) await keyring.seek(kid)
}

/**
 * Answers the payload's text when one of our keys signed the token under exactly the header that we write for it.
 * The header is compared, never parsed: no `alg`, `kid`, `jku`, `jwk` or `crit` of a foreign hand means anything
 * (RS-15). Says nothing about time, issuer or audience.
 *
 * @throws {InvalidTokenError}
 */
export function verifyJws (token: string, keys: KeysByHeader): string {
  const [, header = '', payload = '', signature = ''] = PARTS.exec(token) ?? []
  const key = keys.get(header)
  if (key === undefined) throw new InvalidTokenError('unknown header')

  const bytes = Buffer.from(signature, 'base64url')
  // Base64 can spell the same bytes in several ways; only ours is taken. (Of an ES256 signature everybody can make a
  // twin, r and n - s. It says the same about the same claims, so nothing may hang on a token being one string.)
  const isCanonical = bytes.toString('base64url') === signature
  const isSigned = isSignedBy(key, Buffer.from(`${header}.${payload}`), bytes)
  if (!isCanonical || !isSigned) throw new InvalidTokenError('bad signature')
  return Buffer.from(payload, 'base64url').toString()
}

type Named = Pick<TokenKey, 'kid' | 'algorithm'>

// A key signs many tokens of few types.
const headers = new WeakMap<Named, Map<string, string>>()

function headerOf (key: Named, type: string): string {
  const byType = headers.get(key) ?? new Map<string, string>()
  const known = byType.get(type)
  if (known !== undefined) return known
  const header = Buffer.from(JSON.stringify({ alg: key.algorithm, typ: type, kid: key.kid })).toString('base64url')
  headers.set(key, byType.set(type, header))
  return header
}

function kidOf (header: string): string | null {
  try {
    const { kid }: { kid?: unknown } = JSON.parse(Buffer.from(header, 'base64url').toString())
    return typeof kid === 'string' ? kid : null
  } catch {
    return null
  }
}
