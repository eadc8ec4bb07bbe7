import assert from 'node:assert/strict'
import type { NewRecord, RecordKey, RecordQuery, RecordStore, StoredRecord } from '../../../types/stores.js'

/** What one check works with: new, empty stores that share their records. */
export interface Scene {
  readonly store: RecordStore
  /** `count` callers at once, spread over all the stores. Answers what each got. */
  race <Answer>(count: number, call: (store: RecordStore, caller: number) => Promise<Answer>): Promise<Answer[]>
}

/** A sentence about every store, and what throws unless it is true. */
export type Checks = Readonly<Record<string, (scene: Scene) => Promise<void>>>

export const NOW = 1_700_000_000

export const KIND: RecordQuery = { tenant: 'tenant', kind: 'kind' }

export function createScene (stores: readonly [RecordStore, ...RecordStore[]]): Scene {
  return {
    store: stores[0],
    race: (count, call) => Promise.all(Array.from({ length: count }, (_, caller) => {
      const store = stores[caller % stores.length]
      assert.ok(store !== undefined)
      return call(store, caller)
    }))
  }
}

export function keyOf (id: string): RecordKey {
  return { ...KIND, id }
}

export function recordOf (id: string, members: Partial<NewRecord> = {}): NewRecord {
  return { ...KIND, id, expiresAt: null, index: {}, body: '{}', ...members }
}

export const idsOf = (records: readonly RecordKey[]): string[] => records.map(({ id }) => id)

type PagedQuery = RecordQuery & { readonly limit?: number }

/** All that a query finds, by pages of `limit`. Gives up on a cursor that never ends. */
export async function listAll (store: RecordStore, query: PagedQuery, now = NOW): Promise<StoredRecord[]> {
  const found: StoredRecord[] = []
  let after: string | null = null
  for (let page = 0; page < 1000; page++) {
    const { records, cursor } = await store.list({ limit: 1000, ...query, ...(after === null ? {} : { after }) }, now)
    found.push(...records)
    if (cursor === null) return found
    after = cursor
  }
  throw new Error('list answered a thousand pages and still a cursor')
}
