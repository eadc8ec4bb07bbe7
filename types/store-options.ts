import type { Clock } from './clock.js'
import type { Signer, SigningAlgorithm } from './crypto.js'
import type { AccessTokenFormat, Lifetimes, StaticClient } from './oauth.js'
import type { RecordStore } from './stores.js'

/** Where records live and what protects them. Decorates `fastify.pkceStore`. */
export interface PkceStoreOptions {
  /** Default: a memory store, which forgets everything at the end of the process. */
  readonly store?: RecordStore
  /**
   * At least 32 characters each. The first seals, all open. A new one goes behind in every instance on the store, then
   * in front. May be left out only together with `store`: a random one is then made at boot.
   */
  readonly secrets?: readonly string[]
  /** Default `default`. 1 to 64 characters of `A-Z a-z 0-9 - _`. */
  readonly tenant?: string
  /** Default `ES256`. After a change what was signed before stays good. */
  readonly signingAlgorithm?: SigningAlgorithm
  /**
   * When the next signing key takes over, the same for all instances on one store. `false`: only when the operator
   * calls `fastify.pkceStore.keyring.rotate()`. Default: every 90 days, published one day before it signs.
   */
  readonly keyRotation?: KeyRotationOptions | false
  /**
   * Keys in a KMS or HSM instead of those in `store`: the first signs, all are published. To go over to another one,
   * put it behind for an hour at least, then in front. One that was taken out stays published until its tokens have
   * expired.
   */
  readonly signers?: readonly Signer[]
  /**
   * Of new access tokens; those of both formats are verified side by side. `jwt` (default): signed, RFC 9068. `opaque`:
   * 256 random bits behind `mcps_at_`, looked up in `store`; at most 16 of one grant are good at the same time.
   */
  readonly accessTokenFormat?: AccessTokenFormat
  readonly lifetimes?: Partial<Lifetimes>
  /** Clients that the operator configured. */
  readonly clients?: readonly StaticClient[]
  /**
   * Self-registered clients that nobody has authorized yet, kept at the same time; half as many may be added within
   * `lifetimes.unusedClient`. Beyond that nothing is kept for a new one until a user authorizes it: its id says what it
   * registered. Those that a user authorized do not count. At least 2, default 10 000.
   */
  readonly maxClients?: number
  /** Of these, added by one network (IPv4 /24, IPv6 /64) within `lifetimes.unusedClient`. At least 1, default 200. */
  readonly maxClientsPerNetwork?: number
  /** Seconds between two rounds of forgetting what has expired. Default 60, 0 switches it off. */
  readonly pruneInterval?: number
  readonly clock?: Clock
}

export interface KeyRotationOptions {
  /** Seconds for which a key signs: one hour to ten years. Default 90 days. */
  readonly every?: number
  /**
   * Seconds for which a key is published before it signs, so that nobody meets one that he does not know. At least 60,
   * at most half of `every`. Default one day, or half of `every` when that is shorter.
   */
  readonly publishedBefore?: number
}
