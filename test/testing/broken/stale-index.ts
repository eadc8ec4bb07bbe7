import { memoryStore } from '../../../lib/stores/memory.js'
import type { RecordStore } from '../../../types/stores.js'

/** `replace` leaves the index as it was. */
export function staleIndex (): RecordStore {
  const store = memoryStore()
  return {
    ...store,
    async replace (record, now) {
      const held = await store.get(record, now)
      return held !== null && store.replace({ ...record, index: held.index }, now)
    }
  }
}
