import { memoryStore } from '../../../lib/stores/memory.js'
import type { RecordStore } from '../../../types/stores.js'

/** Tells that every increment begins the window anew. */
export function slidingCounter (): RecordStore {
  const store = memoryStore()
  return {
    ...store,
    async increment (key, input, now) {
      const { count } = await store.increment(key, input, now)
      return { count, resetsAt: now + input.window }
    }
  }
}
