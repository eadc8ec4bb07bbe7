import { KeyObject } from 'node:crypto'
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWK } from 'jose'
import type { SignatureAlgorithm } from '../../types/foreign-tokens.js'
import { isClaims } from './claims.js'
import { InvalidTokenError, SERVER_DOWN, VerifierUnavailableError } from './errors.js'

export interface KeySourceInput {
  /** Fetches the key set (RFC 7517 §5). */
  readonly load: () => Promise<unknown>
  /** Seconds for which a fetched set is good. */
  readonly maxAge: number
  /** Seconds for which it is used beyond that when no newer one can be had. */
  readonly maxStale: number
  /** Seconds between two fetches for unknown keys, and after a failed one. */
  readonly cooldown: number
}

/** In seconds; what is usual where an operator says nothing else. */
export const KEY_TIMES = { maxAge: 600, maxStale: 3600, cooldown: 10 }

/** Which key a token says that it is signed with. */
export interface WantedKey {
  readonly algorithm: SignatureAlgorithm
  readonly kid: string | null
}

/** Something in the key set of another server. */
export interface Lookup<Wanted, Found> {
  /**
   * @throws {InvalidTokenError} when the server has no such key, several, or one that cannot be used.
   * @throws {VerifierUnavailableError} when that cannot be found out now.
   */
  find (wanted: Wanted, now: number): Promise<Found>
}

export type KeySource = Lookup<WantedKey, KeyObject>

export interface LookupRules<Keys, Wanted, Found> {
  /** @throws what is no key set. */
  readonly read: (document: unknown) => Keys
  /** `null` when it is not there. */
  readonly pick: (keys: Keys, wanted: Wanted) => Promise<Found | null>
  readonly nameOf: (wanted: Wanted) => string
}

export type KeySet = ReturnType<typeof createLocalJWKSet>

/**
 * The public keys of another server, fetched when first needed and then kept. One fetch at a time, whoever waits for
 * it. A key that is not in the set may be new: then the set is fetched again, at once, but for unknown keys no more
 * than once in `cooldown` seconds, so that a flood of made-up names costs the server nothing (mistake 22). Only a name
 * that such a fetch was made for is told unknown; about others nothing is known until the next one. So a rotation is
 * never answered with 401.
 */
export function createKeySource (input: KeySourceInput): KeySource {
  return createLookup(input, {
    read: readKeySet, pick: keyOf, nameOf: ({ algorithm, kid }) => `${algorithm} ${kid}`
  })
}

/** The same for whatever else is in a key set. */
export function createLookup<Keys, Wanted, Found> (
  { load, maxAge, maxStale, cooldown }: KeySourceInput,
  { read, pick: pickFrom, nameOf }: LookupRules<Keys, Wanted, Found>
): Lookup<Wanted, Found> {
  let keys: Keys | null = null
  let fetchedAt = -Infinity
  let failedAt = -Infinity
  let soughtAt = -Infinity
  let failure: unknown
  /** The last key that was sought and not found. */
  let absent = { name: '', at: -Infinity }
  let pending: Promise<void> | null = null

  const isCool = (now: number): boolean => now - failedAt >= cooldown

  function refresh (now: number, sought?: string): Promise<void> {
    pending = load().then(read).then((loaded) => {
      keys = loaded
      fetchedAt = now
      if (sought !== undefined) absent = { name: sought, at: now }
    }, (error: unknown) => {
      failedAt = now
      failure = error
    }).finally(() => { pending = null })
    return pending
  }

  /** A fetch to wait for before a key is called unknown, `null` when there can be none now. */
  function seek (name: string, now: number): Promise<void> | null {
    if (pending !== null) return pending
    if (!isCool(now) || now - soughtAt < cooldown) return null
    soughtAt = now
    return refresh(now, name)
  }

  function pick (wanted: Wanted, now: number): Promise<Found | null> {
    if (keys === null || now - fetchedAt >= maxAge + maxStale) {
      throw new VerifierUnavailableError(SERVER_DOWN, 'there are no usable keys of the authorization server', { cause: failure })
    }
    return pickFrom(keys, wanted)
  }

  return {
    async find (wanted, now) {
      if (now - fetchedAt >= maxAge && isCool(now)) await (pending ?? refresh(now))
      const name = nameOf(wanted)
      const known = await pick(wanted, now)
      if (known !== null) return known
      await seek(name, now)
      const found = await pick(wanted, now)
      if (found !== null) return found
      if (absent.name === name && now - absent.at < cooldown) throw new InvalidTokenError('unknown key')
      throw new VerifierUnavailableError(SERVER_DOWN, 'a key cannot be looked up now', { cause: failure })
    }
  }
}

/** @throws {Error} for what is no key set; each key is only looked at when it is needed. */
export function readKeySet (document: unknown): KeySet {
  if (!isKeySet(document)) throw new Error('the document is not a JWK Set')
  return createLocalJWKSet({ keys: document.keys.map(withOurName) })
}

/** RFC 9864 §2.2: the newer name of `EdDSA`, with which Web Crypto exports keys. jose only compares names. */
function withOurName (key: JWK): JWK {
  return isClaims(key) && key.alg === 'Ed25519' ? { ...key, alg: 'EdDSA' } : key
}

// jose looks at each key.
function isKeySet (value: unknown): value is JSONWebKeySet {
  return isClaims(value) && Array.isArray(value.keys)
}

/**
 * `null` when the set has no such key.
 * @throws {InvalidTokenError} when it has several, or one that cannot be used.
 */
export async function keyOf (keys: KeySet, { algorithm, kid }: WantedKey): Promise<KeyObject | null> {
  try {
    // jose takes keys of the algorithm's type and curve only, meant for signatures, public.
    return KeyObject.from(await keys({ alg: algorithm, ...(kid === null ? {} : { kid }) }))
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return null
    // OpenID Connect Core §10.1: where there are several keys, the token has to name one.
    throw new InvalidTokenError(error instanceof errors.JWKSMultipleMatchingKeys ? 'several keys fit' : 'unusable key')
  }
}
