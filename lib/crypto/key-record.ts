import { SecretsError } from './errors.js'
import { maintain, type KeyRules } from './key-changes.js'
import { keyNames } from './key-names.js'
import { openKeySet, sealKeySet, type RingKey } from './key-set.js'
import { createSigningKey, type TokenKey } from './signing-key.js'
import type { Clock } from '../../types/clock.js'
import type { KeyRotation, Secrets, SigningAlgorithm } from '../../types/crypto.js'
import type { RecordStore } from '../../types/stores.js'

export interface KeyRecordInput {
  readonly records: RecordStore
  readonly tenant: string
  readonly secrets: Secrets
  readonly algorithm: SigningAlgorithm
  readonly rotation: KeyRotation
  readonly signers: readonly TokenKey[]
  readonly clock: Clock
}

/** The keys as they were when the record was read or written. */
export interface HeldKeys {
  readonly keys: readonly RingKey[]
  /** Of the record; `null` when there is none. */
  readonly body: string | null
  /** Whether all of it is sealed under the first secret. */
  readonly isFresh: boolean
}

export interface KeyChanged {
  readonly held: HeldKeys
  readonly isWritten: boolean
  /** Whether one of the keys was made by this change. */
  readonly isMade: boolean
}

/** Answers the keys as they should be, the very same list for no change. */
export type KeyPlan = (keys: readonly RingKey[], rules: KeyRules) => Promise<readonly RingKey[]>

export interface KeyRecord {
  /**
   * A change of the keys by one compare-and-swap, after what is due by itself. `known` is what need not be opened
   * again; `reseal` seals anew what is not sealed under the first secret.
   * @throws {SecretsError} when no secret opens the keys that are there, which are left alone.
   */
  change (plan: KeyPlan, more: { readonly known: HeldKeys, readonly reseal?: boolean }): Promise<KeyChanged>
}

export const NO_KEYS: HeldKeys = { keys: [], body: null, isFresh: false }

const MAX_ROUNDS = 100

/** The one record in which the signing keys of a tenant live. */
export function createKeyRecord (input: KeyRecordInput): KeyRecord {
  const { records, tenant, secrets, algorithm, rotation, signers, clock } = input
  const id = { tenant, kind: 'signing-keys', id: 'all' }
  const owner = { tenant, secrets, signers }
  const names = keyNames(owner)

  async function newKey (kind: SigningAlgorithm): Promise<RingKey> {
    const key = await createSigningKey(kind)
    return { ...key, kid: names.nameOf(key.kid), line: kind, signsFrom: 0, endsAt: null }
  }

  async function read (known: HeldKeys, now: number) {
    const record = await records.get(id, now)
    if (record === null) return { record, held: NO_KEYS }
    const { body } = record
    return { record, held: body === known.body ? known : { ...openKeySet(body, owner), body } }
  }

  return {
    async change (plan, { known, reseal = false }) {
      const made = new Map<SigningAlgorithm, RingKey>()
      const make = async (kind: SigningAlgorithm, signsFrom: number): Promise<RingKey> => {
        const key = made.get(kind) ?? await newKey(kind)
        made.set(kind, key)
        return { ...key, signsFrom }
      }
      // A round is lost only to another instance that won it, and each of them has little to win.
      for (let round = 0; round < MAX_ROUNDS; round++) {
        const now = clock()
        const rules = { algorithm, rotation, now, signers, make }
        const { record, held } = await read(known, now)
        const keys = await plan(await maintain(held.keys, rules), rules)
        if (keys === held.keys && (held.isFresh || !reseal)) return { held, isWritten: false, isMade: false }

        const body = sealKeySet(keys, owner)
        const isWritten = record === null
          ? await records.add({ ...id, expiresAt: null, index: {}, body }, now)
          : await records.replace({ ...record, body }, now)
        const isMade = keys.some(({ kid, algorithm: kind }) => made.get(kind)?.kid === kid)
        if (isWritten) return { held: { keys, body, isFresh: true }, isWritten, isMade }
      }
      throw new SecretsError('the signing keys in the store were changed by others all the time')
    }
  }
}
