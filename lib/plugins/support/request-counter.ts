import type { RateLimit } from '../../../types/options.js'

// About 10 MB of counters.
const MAX_KEYS = 50_000

interface Window {
  count: number
  readonly endsAt: number
}

/**
 * Counts requests in memory: `max` for each key in a window of `window` seconds that starts with the key's first
 * request. At most `maxKeys` keys are counted at a time; then the window that ends first is forgotten.
 */
export interface RequestCounter {
  /** Counts one more request. Answers the seconds to wait, 0 when it may go on. */
  (key: string, now: number): number
}

export function requestCounter ({ max, window }: RateLimit, maxKeys = MAX_KEYS): RequestCounter {
  // In the order in which the windows end, since all are equally long.
  const windows = new Map<string, Window>()

  function makeRoom (now: number): void {
    for (const [key, { endsAt }] of windows) {
      if (endsAt > now && windows.size < maxKeys) return
      windows.delete(key)
    }
  }

  return (key, now) => {
    const held = windows.get(key)
    const left = held === undefined ? 0 : held.endsAt - now
    // More than a window is left when the clock was set back.
    if (held !== undefined && left > 0 && left <= window) {
      held.count += 1
      return held.count > max ? left : 0
    }
    makeRoom(now)
    windows.set(key, { count: 1, endsAt: now + window })
    return 0
  }
}
