import { memoryStore } from '../../../lib/stores/memory.js'
import type { RecordStore } from '../../../types/stores.js'

/** Forgets what lives for one more second. */
export function greedyPrune (): RecordStore {
  const store = memoryStore()
  return { ...store, prune: (limit, now) => store.prune(limit, now + 1) }
}
