import { memoryStore } from '../../../lib/stores/memory.js'
import type { RecordKey, RecordStore } from '../../../types/stores.js'

/** Makes one text of tenant, kind and id, with a separator that may be in each of them. */
export function joinedKeys (): RecordStore {
  const store = memoryStore()
  const holders = new Map<string, RecordKey>()
  return {
    ...store,
    async add (record, now) {
      const { tenant, kind, id } = record
      const name = `${tenant}:${kind}:${id}`
      const holder = holders.get(name) ?? record
      if (await store.get(holder, now) !== null) return false
      holders.set(name, { tenant, kind, id })
      return store.add(record, now)
    }
  }
}
