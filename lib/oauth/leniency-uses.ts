import { LENIENCY_NAMES } from '../protocol/leniencies.js'
import type { LeniencyName } from '../../types/options.js'

export interface LeniencyUses {
  /** Counts one more; a name that is none counts nothing. */
  add (name: string): void
  /** How often each leniency was used in this process since it started. One that stays at 0 can be switched off. */
  counts (): Readonly<Record<LeniencyName, number>>
}

/** Counts what was let pass for the sake of real clients, whether anybody listens to the audit or not. */
export function createLeniencyUses (): LeniencyUses {
  const uses = new Map<string, number>(LENIENCY_NAMES.map((name) => [name, 0]))
  return {
    add (name) {
      const count = uses.get(name)
      if (count !== undefined) uses.set(name, count + 1)
    },
    counts: () => Object.freeze(Object.fromEntries(uses)) as Readonly<Record<LeniencyName, number>>
  }
}
