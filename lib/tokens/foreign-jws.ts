import { constants, verify, type KeyObject } from 'node:crypto'
import type { SignatureAlgorithm } from '../../types/foreign-tokens.js'
import { isClaims, textClaim, type Claims } from './claims.js'
import { InvalidTokenError } from './errors.js'

/** A JWS in compact form (RFC 7515 §7.1), taken apart. Nothing of it is verified. */
export interface ForeignJws {
  readonly algorithm: SignatureAlgorithm
  /** The media type without `application/`, in lower case (RFC 7515 §4.1.9); `NO_TYPE` without one. */
  readonly type: string
  readonly kid: string | null
  readonly header: Claims
  /** What is signed. */
  readonly text: string
  readonly payload: string
  readonly signature: Buffer
}

const PARTS = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/

// RFC 7518 §3.1 and RFC 8037 §3.1.
const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
const PKCS1 = { padding: constants.RSA_PKCS1_PADDING }
const SIDE_BY_SIDE = { dsaEncoding: 'ieee-p1363' }
const SCHEMES: Readonly<Record<SignatureAlgorithm, { digest: string | null, how: object }>> = {
  RS256: { digest: 'sha256', how: PKCS1 },
  RS384: { digest: 'sha384', how: PKCS1 },
  RS512: { digest: 'sha512', how: PKCS1 },
  PS256: { digest: 'sha256', how: PSS },
  PS384: { digest: 'sha384', how: PSS },
  PS512: { digest: 'sha512', how: PSS },
  ES256: { digest: 'sha256', how: SIDE_BY_SIDE },
  ES384: { digest: 'sha384', how: SIDE_BY_SIDE },
  ES512: { digest: 'sha512', how: SIDE_BY_SIDE },
  EdDSA: { digest: null, how: {} }
}

export const SIGNATURE_ALGORITHMS: readonly string[] = Object.keys(SCHEMES)

/** RFC 7518 §3.3. */
const MIN_RSA_BITS = 2048
// Whoever may choose a key must not hold up everybody else: with an exponent as long as the modulus one signature takes
// two hundred times as long to verify.
const MAX_RSA_BITS = 8192
const MAX_RSA_EXPONENT = 2n ** 32n

/** The type of a JWS whose header names none. */
export const NO_TYPE = ''

/** Lower case and without `application/`. */
export function mediaType (type: string): string {
  return type.toLowerCase().replace(/^application\//, '')
}

/**
 * Takes a token apart whose header says one of our algorithms and types (RS-15); `Ed25519` is the newer name of `EdDSA`
 * with the one curve that we take (RFC 9864 §2.2). Its `kid` is a name to look up among keys that we have; `jku`,
 * `jwk`, `x5u` and `x5c` mean nothing; any `crit` is refused, since we know no extension.
 * @throws {InvalidTokenError}
 */
export function readForeignJws (
  token: string, { algorithms, types }: { algorithms: readonly SignatureAlgorithm[], types: readonly string[] }
): ForeignJws {
  const [, head = '', payload = '', signed = ''] = PARTS.exec(token) ?? []
  const header = jsonObject(head)
  if (header === null) throw new InvalidTokenError('not a JWT')
  const type = mediaType(textClaim(header, 'typ') ?? NO_TYPE)
  if (!types.includes(type)) throw new InvalidTokenError('wrong type')
  const name = header.alg === 'Ed25519' ? 'EdDSA' : header.alg
  const algorithm = algorithms.find((one) => one === name)
  if (algorithm === undefined) throw new InvalidTokenError('wrong algorithm')
  if (Object.hasOwn(header, 'crit')) throw new InvalidTokenError('unknown crit')
  const signature = Buffer.from(signed, 'base64url')
  // Base64 can spell the same bytes in several ways; one token is one string.
  if (signature.toString('base64url') !== signed) throw new InvalidTokenError('bad signature')
  return { algorithm, type, kid: textClaim(header, 'kid'), header, text: `${head}.${payload}`, payload, signature }
}

/**
 * Answers the claims when the key signed them. The key has to be one of the token's algorithm.
 * @throws {InvalidTokenError}
 */
export function verifyForeignJws ({ algorithm, text, payload, signature }: ForeignJws, key: KeyObject): Claims {
  const { modulusLength: bits, publicExponent: exponent = 0n } = { ...key.asymmetricKeyDetails }
  if (bits !== undefined && bits < MIN_RSA_BITS) throw new InvalidTokenError('weak key')
  if ((bits !== undefined && bits > MAX_RSA_BITS) || exponent > MAX_RSA_EXPONENT) throw new InvalidTokenError('slow key')
  // RFC 8017 §8.1.2: OpenSSL would take a PSS signature without its leading zero octets, too.
  if (bits !== undefined && signature.length !== Math.ceil(bits / 8)) throw new InvalidTokenError('bad signature')
  const { digest, how } = SCHEMES[algorithm]
  if (!verify(digest, Buffer.from(text), { key, ...how }, signature)) throw new InvalidTokenError('bad signature')
  const claims = jsonObject(payload)
  if (claims === null) throw new InvalidTokenError('no claims')
  return claims
}

/** What a JWS says, believed by nobody yet; `null` when that is no JSON object. */
export function unverifiedClaims ({ payload }: ForeignJws): Claims | null {
  return jsonObject(payload)
}

/** The issuer that a JWT names, believed by nobody yet; `null` for what names none. `undefined` for what is no JWT. */
export function claimedIssuer (token: string): string | null | undefined {
  const [, header = '', payload = ''] = PARTS.exec(token) ?? []
  if (jsonObject(header) === null) return undefined
  const issuer = jsonObject(payload)?.iss
  return typeof issuer === 'string' ? issuer : null
}

function jsonObject (encoded: string): Claims | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(encoded, 'base64url').toString())
    return isClaims(value) ? value : null
  } catch {
    return null
  }
}
