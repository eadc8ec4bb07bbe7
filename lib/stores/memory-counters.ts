import { assertCount, assertKey } from './checks.js'
import { StoreUnavailableError } from './errors.js'
import { createExpiryQueue, isLive, type Expiring } from './expiry-queue.js'
import type { RecordStore } from '../../types/stores.js'

interface Counter extends Expiring {
  readonly name: string
  count: number
  expiresAt: number
}

export interface MemoryCounters {
  readonly increment: RecordStore['increment']
  /** Forgets up to `limit` counters whose window is over; answers how many. */
  forgetDead (limit: number, now: number): number
}

/**
 * Counters with windows, `max` at the same time. When all are live a new one is refused (`StoreUnavailableError`)
 * and no live one is ever let go: a limit can be made to refuse by many keys, never to forget.
 */
export function createMemoryCounters (max: number): MemoryCounters {
  const counters = new Map<string, Counter>()
  const queue = createExpiryQueue<Counter>()

  function forgetDead (limit: number, now: number): number {
    return queue.forgetDead({ limit, forget: ({ name }) => { counters.delete(name) } }, now)
  }

  function start (name: string, now: number): Counter {
    if (counters.size >= max && forgetDead(1, now) === 0) {
      throw new StoreUnavailableError(`the memory store has ${max} live counters and takes no more`)
    }
    const counter = { name, count: 0, expiresAt: now, slot: -1 }
    counters.set(name, counter)
    return counter
  }

  return {
    forgetDead,

    async increment (key, { by, window }, now) {
      assertKey(key)
      assertCount('by', by)
      assertCount('window', window)
      const name = `${key.tenant}\0${key.kind}\0${key.id}`
      const counter = counters.get(name) ?? start(name, now)
      if (!isLive(counter, now)) {
        counter.count = 0
        counter.expiresAt = now + window
        queue.place(counter)
      }
      counter.count += by
      return { count: counter.count, resetsAt: counter.expiresAt }
    }
  }
}
