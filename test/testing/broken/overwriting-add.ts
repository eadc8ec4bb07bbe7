import { memoryStore } from '../../../lib/stores/memory.js'
import type { RecordStore } from '../../../types/stores.js'

/** `add` looks whether the key is free and writes afterwards, over whatever came in between. */
export function overwritingAdd (): RecordStore {
  const store = memoryStore()
  return {
    ...store,
    async add (record, now) {
      if (await store.get(record, now) !== null) return false
      await store.remove(record, now)
      await store.add(record, now)
      return true
    }
  }
}
