import { memoryStore } from '../../../lib/stores/memory.js'
import type { RecordStore } from '../../../types/stores.js'

/** `replace` compares the version first and writes afterwards, over whatever is held by then. */
export function lostUpdate (): RecordStore {
  const store = memoryStore()
  return {
    ...store,
    async replace (record, now) {
      let held = await store.get(record, now)
      if (held?.version !== record.version) return false
      while (held !== null && !await store.replace({ ...record, version: held.version }, now)) {
        held = await store.get(record, now)
      }
      return held !== null
    }
  }
}
