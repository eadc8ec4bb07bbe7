import type { Clock } from '../types/clock.js'

/** The machine's clock, in whole seconds since the Unix epoch. The only place that reads it. */
export const systemClock: Clock = () => Math.floor(Date.now() / 1000)
