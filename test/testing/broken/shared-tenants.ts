import { memoryStore } from '../../../lib/stores/memory.js'
import type { RecordStore, StoredRecord } from '../../../types/stores.js'

const ALL = { tenant: 'everyone' }

/** Forgets to make the tenant a part of the key. */
export function sharedTenants (): RecordStore {
  const store = memoryStore()
  const named = (tenant: string, record: StoredRecord | null): StoredRecord | null => record && { ...record, tenant }
  return {
    ...store,
    add: (record, now) => store.add({ ...record, ...ALL }, now),
    get: async (key, now) => named(key.tenant, await store.get({ ...key, ...ALL }, now)),
    take: async (key, now) => named(key.tenant, await store.take({ ...key, ...ALL }, now)),
    replace: (record, now) => store.replace({ ...record, ...ALL }, now),
    remove: (key, now) => store.remove({ ...key, ...ALL }, now),
    removeWhere: (query, now) => store.removeWhere({ ...query, ...ALL }, now),
    increment: (key, input, now) => store.increment({ ...key, ...ALL }, input, now),
    async list (query, now) {
      const { records, cursor } = await store.list({ ...query, ...ALL }, now)
      return { records: records.map((record) => ({ ...record, tenant: query.tenant })), cursor }
    }
  }
}
