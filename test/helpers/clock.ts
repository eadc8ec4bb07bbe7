import type { Clock } from '../../types/clock.js'

export interface StoppedClock extends Clock {
  /** Moves the clock; tests only. */
  advance (seconds: number): void
}

/** A clock that stands still until a test moves it. */
export function stoppedClock (start = 1_700_000_000): StoppedClock {
  let now = start
  return Object.assign(() => now, { advance (seconds: number) { now += seconds } })
}
