import { memoryStore } from '../../../lib/stores/memory.js'
import type { RecordStore } from '../../../types/stores.js'

/** A full last page has a cursor to an empty one. */
export function endlessCursor (): RecordStore {
  const store = memoryStore()
  return {
    ...store,
    async list (query, now) {
      const { records } = await store.list(query, now)
      return { records, cursor: records.length === query.limit ? records.at(-1)?.id ?? null : null }
    }
  }
}
