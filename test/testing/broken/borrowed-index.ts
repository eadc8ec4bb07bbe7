import { memoryStore } from '../../../lib/stores/memory.js'
import type { NewRecord, RecordStore } from '../../../types/stores.js'

/** Keeps the index object that it was handed. */
export function borrowedIndex (): RecordStore {
  const store = memoryStore()
  const indexes = new Map<string, NewRecord['index']>()
  return {
    ...store,
    add (record, now) {
      indexes.set(record.id, record.index)
      return store.add(record, now)
    },
    async get (key, now) {
      const record = await store.get(key, now)
      return record === null ? null : { ...record, index: indexes.get(record.id) ?? record.index }
    }
  }
}
