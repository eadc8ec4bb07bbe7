import { memoryStore } from '../../../lib/stores/memory.js'
import type { RecordStore } from '../../../types/stores.js'

/** Records are dead after the second of their expiry, not at it. */
export function lateExpiry (): RecordStore {
  const store = memoryStore()
  return {
    ...store,
    get: (key, now) => store.get(key, now - 1),
    take: (key, now) => store.take(key, now - 1),
    replace: (record, now) => store.replace(record, now - 1)
  }
}
