import { memoryStore } from '../../../lib/stores/memory.js'
import type { RecordStore } from '../../../types/stores.js'

/** Records are dead one second too early. */
export function earlyExpiry (): RecordStore {
  const store = memoryStore()
  return { ...store, take: (key, now) => store.take(key, now + 1) }
}
