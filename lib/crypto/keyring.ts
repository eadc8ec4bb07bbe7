import { endOthers, rotate, without } from './key-changes.js'
import { keyNames } from './key-names.js'
import { createKeyRecord, NO_KEYS, type KeyPlan } from './key-record.js'
import { DEFAULT_ROTATION, newestOf, signerOf, unendedOf } from './key-schedule.js'
import { openSigners } from './remote-keys.js'
import { writeJwks, type TokenKey } from './signing-key.js'
import type { Clock } from '../../types/clock.js'
import type { KeyRotation, Secrets, Signer, SigningAlgorithm } from '../../types/crypto.js'
import type { RecordStore } from '../../types/stores.js'

export type { TokenKey } from './signing-key.js'

/** What became of the keys, for who holds on to something that was made of them. */
export interface KeyChange {
  /** Whether this instance made one of them. */
  readonly isMade: boolean
  /** Whether one was taken away whose tokens would still be good. */
  readonly isDropped: boolean
}

export interface Keyring {
  /** What signs at this second. */
  readonly current: TokenKey
  /** What verifies: those that signed before, `current`, and the next one. Another list after every change. */
  readonly keys: readonly TokenKey[]
  /** The public halves as a JWK Set, as JSON text to be sent as it is. */
  readonly jwks: string
  /** Seconds for which others may keep `jwks`: it is old before a key signs that is not in it (AS-M6). */
  readonly maxAge: number
  /** Seconds after which to call `refresh` again. */
  readonly lookAgainAfter: number
  /** Whether this opening made a key. */
  readonly created: boolean
  /** Looks what others changed, and makes the next key when it is due. One look at a time. */
  refresh (): Promise<void>
  /** Whether there is such a key, looking for one that is new. A name that we never gave costs no look. */
  seek (kid: string): Promise<boolean>
  /**
   * Makes the next key sign so many seconds from now at the latest. Default: as long as the schedule publishes it
   * before. `after: 0` signs with it at once: fine for our own verifiers, but others may hold an older `jwks`.
   * @throws {TypeError} unless `after` is a whole number of seconds, 0 or more, and with `signers`.
   */
  rotate (options?: { readonly after?: number }): Promise<void>
  /**
   * Takes a key away that somebody else may have. Its tokens are refused at once here, and elsewhere when the message
   * gets there, at the next look otherwise. When it was signing, another one does. Answers whether there was such one.
   * @throws {TypeError} for the key of one of `signers`.
   */
  remove (kid: string): Promise<boolean>
  onChange (listener: (change: KeyChange) => void): void
  /** Looks whenever another instance says that it changed something. Answers how to end that. */
  listen (): Promise<() => Promise<void>>
}

export interface KeyringOptions {
  readonly records: RecordStore
  readonly tenant: string
  readonly secrets: Secrets
  /** Default `ES256`. Another one than before adds a key; the others stay published until their tokens have expired. */
  readonly algorithm?: SigningAlgorithm
  readonly rotation?: KeyRotation
  /** Keys elsewhere: the first signs, all are published. No key is made then, and none follows by itself. */
  readonly signers?: readonly Signer[]
  readonly clock: Clock
}

const CHANNEL = 'signing-keys'
const MAX_ABSENT = 1000

/**
 * Opens the signing keys of a tenant, and makes the first one. They live in the store, the private halves sealed,
 * so they survive a restart and are the same for every instance: each change is one compare-and-swap on one record, so
 * of any number of instances one makes a key and all use it. A successor is in the record before it signs, and all go
 * over to it by their clocks; a key stays until the last token that it signed has expired.
 *
 * When a new secret stands in front, everything is sealed anew under it, so the old one can be taken away once every
 * instance has started with the new one. An instance that does not know it, not even behind its own, cannot follow the
 * keys from then on.
 * @throws {SecretsError} `MCPS_ERR_SECRETS` when no secret opens the keys that are there, which are left alone.
 * @throws {StoreUnavailableError} when the store cannot be reached.
 */
export async function openKeyring (options: KeyringOptions): Promise<Keyring> {
  const { records, tenant, secrets, algorithm = 'ES256', rotation = DEFAULT_ROTATION, clock } = options
  const names = keyNames({ tenant, secrets })
  const signers = await openSigners(options.signers ?? [])
  const [front] = signers
  const record = createKeyRecord({ records, tenant, secrets, algorithm, rotation, signers, clock })
  const listeners: Array<(change: KeyChange) => void> = []
  const absent = new Set<string>()
  let held = NO_KEYS
  let jwks = ''
  let turn: Promise<unknown> = Promise.resolve()
  let looking: Promise<boolean> | null = null

  const has = (kid: string): boolean => held.keys.some((key) => key.kid === kid)

  async function change (plan: KeyPlan, reseal = false): Promise<boolean> {
    const changed = await record.change(plan, { known: held, reseal })
    const before = held.keys
    held = changed.held
    if (held.keys !== before) {
      jwks = writeJwks(held.keys)
      const isDropped = unendedOf(before, clock()).some(({ kid }) => !has(kid))
      for (const listener of listeners) listener({ isMade: changed.isMade, isDropped })
    }
    // Whoever does not hear it finds out at the next look.
    if (changed.isWritten) records.publish({ tenant, channel: CHANNEL, text: '' }).catch(() => {})
    return changed.isMade
  }

  /** One change after the other, so that what was read earlier is never adopted later. */
  function inTurn (plan: KeyPlan): Promise<boolean> {
    const mine = turn.then(() => change(plan))
    turn = mine.catch(() => {})
    return mine
  }

  async function refresh (): Promise<void> {
    looking ??= inTurn(async (keys) => keys).finally(() => { looking = null })
    await looking
  }

  const created = await change(async (keys, rules) => endOthers(keys, rules), true)
  return {
    // Every change leaves a key of this algorithm in the record.
    get current () { return front ?? signerOf(held.keys, algorithm, clock())! },
    get keys () { return held.keys },
    get jwks () { return jwks },
    // Another instance may publish a key so much later, and both have to be over before it signs.
    maxAge: Math.min(3600, Math.floor(rotation.publishedBefore / 2)),
    lookAgainAfter: Math.min(60, Math.ceil(rotation.publishedBefore / 4)),
    created,
    refresh,

    async seek (kid) {
      if (has(kid)) return true
      if (absent.has(kid) || !names.isOurs(kid)) return false
      await refresh()
      // The look that was joined may have begun before there was the key.
      if (!has(kid)) await refresh()
      if (has(kid)) return true
      if (absent.size >= MAX_ABSENT) absent.clear()
      absent.add(kid)
      return false
    },

    async rotate ({ after = rotation.publishedBefore } = {}) {
      if (!Number.isSafeInteger(after) || after < 0) throw new TypeError('after must be whole seconds, 0 or more')
      if (front !== undefined) throw new TypeError('signers are rotated by putting another one in front')
      const since = newestOf(held.keys, algorithm)!.kid
      await inTurn((keys, rules) => rotate(keys, { after, since }, rules))
    },

    async remove (kid) {
      if (signers.some((signer) => signer.kid === kid)) throw new TypeError('a signer is removed by taking it out of signers')
      let isThere = false
      await inTurn(async (keys, rules) => {
        const gone = keys.find((key) => key.kid === kid)
        isThere = gone !== undefined
        return gone === undefined ? keys : await without(keys, gone, rules)
      })
      return isThere
    },

    onChange (listener) { listeners.push(listener) },

    listen: () => records.subscribe({ tenant, channel: CHANNEL, listener: () => { refresh().catch(() => {}) } })
  }
}
