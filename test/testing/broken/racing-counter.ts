import { memoryStore } from '../../../lib/stores/memory.js'
import type { CountedWindow, RecordStore } from '../../../types/stores.js'

/** Reads the counter, adds, and writes it back. */
export function racingCounter (): RecordStore {
  const store = memoryStore()
  const counters = new Map<string, CountedWindow>()
  return {
    ...store,
    async increment (key, input, now) {
      const name = JSON.stringify([key.tenant, key.kind, key.id])
      const held = counters.get(name)
      const fresh = await store.increment({ ...key, id: `${key.id}${counters.size}` }, input, now)
      const isRunning = held !== undefined && held.resetsAt > now
      const next = isRunning ? { ...held, count: held.count + input.by } : { ...fresh, count: input.by }
      counters.set(name, next)
      return next
    }
  }
}
