import { memoryStore } from '../../../lib/stores/memory.js'
import type { RecordStore } from '../../../types/stores.js'

/** Never looks at the time. */
export function noExpiry (): RecordStore {
  const store = memoryStore()
  return {
    ...store,
    add: (record) => store.add(record, 0),
    get: (key) => store.get(key, 0),
    take: (key) => store.take(key, 0),
    replace: (record) => store.replace(record, 0),
    remove: (key) => store.remove(key, 0),
    list: (query) => store.list(query, 0)
  }
}
