import { memoryStore } from '../../../lib/stores/memory.js'
import type { RecordStore } from '../../../types/stores.js'

/** `take` and `remove` look first and delete afterwards, so two callers get the same record. */
export function readThenDelete (): RecordStore {
  const store = memoryStore()
  return {
    ...store,
    async take (key, now) {
      const record = await store.get(key, now)
      if (record !== null) await store.remove(key, now)
      return record
    },
    async remove (key, now) {
      const record = await store.get(key, now)
      if (record !== null) await store.remove(key, now)
      return record !== null
    }
  }
}
