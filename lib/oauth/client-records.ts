import type { Client } from '../../types/oauth.js'
import type { RecordStore, StoredRecord } from '../../types/stores.js'
import { isSelfContainedId } from './self-contained-id.js'
import { readStoredClient } from './stored-client.js'

const KIND = 'client'
// 128 random bits, as randomId makes them, or an id that says what was registered; nothing else is asked of the store.
const RANDOM_ID = /^[\w-]{22}$/
/** Who loses a compare-and-swap tries again; so many at once change one client only by mistake. */
const ATTEMPTS = 20

/** A client as the store keeps it. What is not there, is not so. */
export interface KeptClient extends Client {
  /** A user has authorized it. */
  readonly used?: true
  /** Seconds since the Unix epoch at which every secret but the first one ends. */
  readonly oldSecretEndsAt?: number
  /** The operator switched it off. */
  readonly disabled?: true
  /** SHA-256 of the token by which it manages its registration (RFC 7592). */
  readonly accessTokenDigest?: string
}

/** A client as it stood when it was read. */
export interface HeldClient {
  readonly client: KeptClient
  /** `null`: never. */
  readonly expiresAt: number | null
  readonly version: number
}

/** What becomes of a client. */
export type NextClient = Pick<HeldClient, 'client' | 'expiresAt'>

export interface ClientRecords {
  read (clientId: string, now: number): Promise<HeldClient | null>
  /** Answers `false` when one is kept under this id. */
  add (next: NextClient, now: number): Promise<boolean>
  /**
   * Changes a client by what `change` answers for the one that is held, or not when that is `null`: one
   * compare-and-swap, tried again when somebody else was first. `null` when there is no such client, or no change.
   */
  change (clientId: string, change: (held: HeldClient) => NextClient | null, now: number): Promise<NextClient | null>
  /** Answers whether there was one. */
  remove (clientId: string, now: number): Promise<boolean>
  /** In the order of their ids. `origin`: those that the operator made. */
  list (page: { readonly origin?: 'admin', readonly limit: number, readonly after?: string }, now: number):
  Promise<{ readonly clients: readonly HeldClient[], readonly cursor: string | null }>
}

/** Clients as records: one record each, so that each change is one atomic verb. */
export function createClientRecords (
  { records, tenant }: { readonly records: RecordStore, readonly tenant: string }
): ClientRecords {
  const keyOf = (clientId: string) => ({ tenant, kind: KIND, id: clientId })
  const recordOf = ({ client, expiresAt }: NextClient) => ({
    ...keyOf(client.clientId),
    expiresAt,
    index: client.origin === 'admin' ? { origin: 'admin' } : {},
    body: JSON.stringify(client)
  })

  async function read (clientId: string, now: number): Promise<HeldClient | null> {
    const record = mayBeKept(clientId) ? await records.get(keyOf(clientId), now) : null
    return record === null ? null : heldIn(record)
  }

  return {
    read,
    add: (next, now) => records.add(recordOf(next), now),

    async change (clientId, change, now) {
      for (let attempts = 0; attempts < ATTEMPTS; attempts += 1) {
        const held = await read(clientId, now)
        const next = held === null ? null : change(held)
        if (held === null || next === null) return null
        if (await records.replace({ ...recordOf(next), version: held.version }, now)) return next
      }
      return null
    },

    async remove (clientId, now) {
      return mayBeKept(clientId) && await records.remove(keyOf(clientId), now)
    },

    async list ({ origin, ...page }, now) {
      const where = origin === undefined ? {} : { where: { name: 'origin', value: origin } }
      const found = await records.list({ tenant, kind: KIND, ...where, ...page }, now)
      return { clients: found.records.map(heldIn), cursor: found.cursor }
    }
  }
}

/** A client as everybody sees it: with the secrets that are good now, and nothing of how it is kept. */
export function clientOf (kept: KeptClient, now: number): Client {
  const { used, oldSecretEndsAt = Infinity, disabled, accessTokenDigest, ...client } = kept
  return { ...client, secretDigests: now < oldSecretEndsAt ? client.secretDigests : client.secretDigests.slice(0, 1) }
}

function mayBeKept (clientId: string): boolean {
  return RANDOM_ID.test(clientId) || isSelfContainedId(clientId)
}

function heldIn ({ body, expiresAt, version }: StoredRecord): HeldClient {
  return { client: readStoredClient(JSON.parse(body)), expiresAt, version }
}
