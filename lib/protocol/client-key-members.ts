import type { AssertionAlgorithm, ClientAuthenticationMethod, ClientMetadata, PublicKeySet } from '../../types/oauth.js'
import { OAuthError } from './oauth-error.js'
import { hasControlCharacters, isWellFormed } from './text.js'

type KeyMembers = Pick<ClientMetadata, 'jwks' | 'jwks_uri' | 'token_endpoint_auth_signing_alg'>
type Key = PublicKeySet['keys'][number]

const MAX_KEYS = 10
/** At a `jwks_uri`. */
const MAX_PUBLISHED = 100
const MAX_URI = 2048
/** 4096 bits of RSA, base64url. */
const MAX_NUMBER = 683
/** A longer exponent makes each verification slow. */
const MAX_EXPONENT = 6
const MAX_NAME = 256
const MAX_CERTIFICATE = 8192
export const ASSERTION_ALGORITHMS: readonly AssertionAlgorithm[] = ['ES256', 'RS256', 'PS256', 'EdDSA']
// RFC 7518 §6.2.1, §6.3.1, RFC 8037 §2.
const NUMBERS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['EC', ['crv', 'x', 'y']], ['OKP', ['crv', 'x']], ['RSA', ['n', 'e']]
])
// RFC 7518 §6.2.2, §6.3.2, §6.4.
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
const NAMES = ['kid', 'alg', 'use']
const BASE64URL = /^[\w-]+$/
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

/** Whether a client shows by a secret who it is. */
export function isSecretMethod (method: ClientAuthenticationMethod): boolean {
  return method === 'client_secret_basic' || method === 'client_secret_post'
}

/** Whether a client shows by its own keys who it is. */
export function needsKeys (method: ClientAuthenticationMethod): boolean {
  return method === 'private_key_jwt' || method === 'self_signed_tls_client_auth'
}

/**
 * What a client registers about its keys (RFC 7591 §2, AS-R3): `jwks`, its public keys and nothing else of them, or the
 * https URL where they are, never both. Nothing for a method that needs none. Whether the numbers are keys shows when
 * one is used.
 * @throws {OAuthError} `invalid_client_metadata`, also for private keys, which were never to be sent.
 */
export function readKeyMembers (members: ReadonlyMap<string, unknown>, method: ClientAuthenticationMethod): KeyMembers {
  const jwks = members.get('jwks')
  const uri = members.get('jwks_uri')
  if (jwks !== undefined && uri !== undefined) throw refusal('jwks and jwks_uri exclude each other')
  if (!needsKeys(method)) return {}
  if (jwks === undefined && uri === undefined) throw refusal('jwks or jwks_uri is needed by the authentication method')
  return {
    ...(uri === undefined ? { jwks: readKeySet(jwks) } : { jwks_uri: readKeysUri(uri) }),
    ...readAlgorithm(members.get('token_endpoint_auth_signing_alg'))
  }
}

function readAlgorithm (value: unknown): KeyMembers {
  if (value === undefined) return {}
  const algorithm = ASSERTION_ALGORITHMS.find((one) => one === value)
  if (algorithm !== undefined) return { token_endpoint_auth_signing_alg: algorithm }
  throw refusal(`token_endpoint_auth_signing_alg must be one of ${ASSERTION_ALGORITHMS.join(', ')}`)
}

function readKeysUri (value: unknown): string {
  const url = typeof value === 'string' && value.length <= MAX_URI && URL.canParse(value) ? new URL(value) : null
  if (url === null || url.protocol !== 'https:' || url.username !== '' || url.password !== '') {
    throw refusal('jwks_uri must be an https URL')
  }
  return url.href
}

function readKeySet (value: unknown): PublicKeySet {
  const keys = isObject(value) && Object.hasOwn(value, 'keys') ? value.keys : undefined
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > MAX_KEYS) {
    throw refusal(`jwks must hold 1 to ${MAX_KEYS} keys`)
  }
  return { keys: keys.map(readKey) }
}

/**
 * The public keys in a set that somebody publishes (RFC 7517 §5), a hundred at most: what a key needs and nothing else
 * of it, since small values take a hundred times their text in memory. Leaves out what `readKeyMembers` would refuse,
 * and what is there for something else than signatures.
 * @throws {TypeError} for what is no set of keys.
 */
export function readPublishedKeys (document: unknown): PublicKeySet {
  const keys = isObject(document) && Object.hasOwn(document, 'keys') ? document.keys : undefined
  if (!Array.isArray(keys)) throw new TypeError('the document is not a JWK Set')
  return { keys: keys.slice(0, MAX_PUBLISHED).flatMap(readUsableKey) }
}

function readUsableKey (value: unknown): Key[] {
  const operations = isObject(value) && Object.hasOwn(value, 'key_ops') ? value.key_ops : undefined
  if (Array.isArray(operations) && !operations.includes('verify')) return []
  try {
    return [readKey(value)]
  } catch {
    return []
  }
}

function readKey (value: unknown): Key {
  const given = new Map<string, unknown>(isObject(value) ? Object.entries(value) : [])
  const kty = given.get('kty')
  const numbers = NUMBERS.get(kty)
  if (numbers === undefined || PRIVATE.some((name) => given.has(name))) throw refusal('jwks must hold public keys only')
  const key: Record<string, unknown> = { kty }
  for (const name of numbers) key[name] = readNumber(given.get(name), name === 'e' ? MAX_EXPONENT : MAX_NUMBER)
  for (const name of NAMES) {
    if (given.has(name)) key[name] = readName(given.get(name))
  }
  const [certificate]: unknown[] = readCertificates(given.get('x5c'))
  return certificate === undefined ? key : { ...key, x5c: [certificate] }
}

function readNumber (value: unknown, max: number): string {
  if (typeof value === 'string' && value.length <= max && BASE64URL.test(value)) return value
  throw refusal('a key of jwks is not whole')
}

function readName (value: unknown): string {
  const isName = typeof value === 'string' && value !== '' && value.length <= MAX_NAME && isText(value)
  if (!isName) throw refusal('a key of jwks has a name that is none')
  return value
}

const isText = (value: string): boolean => !hasControlCharacters(value) && isWellFormed(value)

/** RFC 7517 §4.7: the first one is of the key; those that vouch for it mean nothing here. */
function readCertificates (value: unknown): unknown[] {
  if (value === undefined) return []
  const first: unknown = Array.isArray(value) ? value[0] : undefined
  if (typeof first === 'string' && first.length <= MAX_CERTIFICATE && BASE64.test(first)) return [first]
  throw refusal('x5c of a key of jwks must hold certificates')
}

function isObject (value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refusal (description: string): OAuthError {
  return new OAuthError({ code: 'invalid_client_metadata', description })
}
