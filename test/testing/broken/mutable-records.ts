import { memoryStore } from '../../../lib/stores/memory.js'
import type { RecordStore, StoredRecord } from '../../../types/stores.js'

/** Hands out the very objects that it keeps. */
export function mutableRecords (): RecordStore {
  const store = memoryStore()
  const kept = new Map<string, StoredRecord>()
  return {
    ...store,
    async get (key, now) {
      const held = await store.get(key, now)
      if (held === null) return null
      const name = JSON.stringify([key.tenant, key.kind, key.id, held.version, held.body])
      const record = kept.get(name) ?? { ...held }
      kept.set(name, record)
      return record
    }
  }
}
