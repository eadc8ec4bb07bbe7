import { memoryStore } from '../../../lib/stores/memory.js'
import type { RecordStore } from '../../../types/stores.js'

/** One channel for all tenants. */
export function loudBus (): RecordStore {
  const store = memoryStore()
  return {
    ...store,
    publish: (message) => store.publish({ ...message, tenant: 'everyone' }),
    subscribe: (input) => store.subscribe({ ...input, tenant: 'everyone' })
  }
}
