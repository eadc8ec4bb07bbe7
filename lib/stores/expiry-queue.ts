/** Something that dies at a second. */
export interface Expiring {
  /** Seconds since the Unix epoch; dead at this second. `null` never dies. */
  expiresAt: number | null
  /** Where the queue keeps it; -1 while it does not. For the queue only. */
  slot: number
}

export interface ExpiryQueue<Entry extends Expiring> {
  /** Takes an entry in, or up again after its `expiresAt` changed. */
  place (entry: Entry): void
  remove (entry: Entry): void
  /** Removes up to `limit` entries that are dead by `now` and hands each to `forget`; answers how many. */
  forgetDead (input: { readonly limit: number, readonly forget: (entry: Entry) => void }, now: number): number
}

export function isLive ({ expiresAt }: { readonly expiresAt: number | null }, now: number): boolean {
  return expiresAt === null || expiresAt > now
}

// Only what dies is ever in the queue.
const diesBefore = (a: Expiring, b: Expiring): boolean => Number(a.expiresAt) < Number(b.expiresAt)

/**
 * Finds the dead among a million without looking at the living: a binary heap whose entries know their place, so
 * each change costs its logarithm and nothing stale is ever left behind. What never dies costs nothing.
 */
export function createExpiryQueue<Entry extends Expiring> (): ExpiryQueue<Entry> {
  const heap: Entry[] = []

  function put (entry: Entry, slot: number): void {
    heap[slot] = entry
    entry.slot = slot
  }

  /** Moves an entry from an open slot towards the root. */
  function rise (entry: Entry, from: number): number {
    let slot = from
    while (slot > 0) {
      const parent = heap[(slot - 1) >>> 1]!
      if (!diesBefore(entry, parent)) break
      const next = parent.slot
      put(parent, slot)
      slot = next
    }
    return slot
  }

  /** Moves an entry from an open slot towards the leaves. */
  function sink (entry: Entry, from: number): number {
    let slot = from
    while (2 * slot + 1 < heap.length) {
      const left = heap[2 * slot + 1]!
      const right = heap[2 * slot + 2] ?? left
      const child = diesBefore(right, left) ? right : left
      if (!diesBefore(child, entry)) break
      const next = child.slot
      put(child, slot)
      slot = next
    }
    return slot
  }

  function remove (entry: Entry): void {
    if (entry.slot === -1) return
    const last = heap.pop()!
    if (last !== entry) put(last, sink(last, rise(last, entry.slot)))
    entry.slot = -1
  }

  return {
    place (entry) {
      remove(entry)
      if (entry.expiresAt !== null) put(entry, rise(entry, heap.length))
    },
    remove,
    forgetDead ({ limit, forget }, now) {
      for (let forgotten = 0; forgotten < limit; forgotten++) {
        const [first] = heap
        if (first === undefined || isLive(first, now)) return forgotten
        remove(first)
        forget(first)
      }
      return limit
    }
  }
}
