import { memoryStore } from '../../../lib/stores/memory.js'
import type { RecordStore } from '../../../types/stores.js'

/** Goes on telling the version of a record that is gone. */
export function staleVersion (): RecordStore {
  const store = memoryStore()
  const told = new Map<string, number>()
  return {
    ...store,
    versionOf (key, now) {
      const version = store.versionOf?.(key, now) ?? told.get(key.id)
      if (version !== undefined) told.set(key.id, version)
      return version
    }
  }
}
