import { VerifierUnavailableError } from './errors.js'

export interface SingleFlight<T> {
  /**
   * Asks, unless the same is being asked: then its answer is waited for.
   * @throws {VerifierUnavailableError} when too much is being asked.
   */
  run (key: string, ask: () => Promise<T>): Promise<T>
  /** Whoever comes from now on gets an answer to a question that is asked from now on. */
  startAnew (): void
}

/** Asks each question once at a time, and at most `max` questions. */
export function createSingleFlight<T> ({ max, overload }: { max: number, overload: string }): SingleFlight<T> {
  let pending = new Map<string, Promise<T>>()
  let asked = 0

  async function count (ask: () => Promise<T>): Promise<T> {
    asked += 1
    try {
      return await ask()
    } finally {
      asked -= 1
    }
  }

  return {
    async run (key, ask) {
      const joined = pending.get(key)
      if (joined !== undefined) return await joined
      if (asked >= max) throw new VerifierUnavailableError(overload, `${overload}: ${max} are allowed at a time`)
      const mine = pending
      const question = count(ask).finally(() => { mine.delete(key) })
      mine.set(key, question)
      return await question
    },

    startAnew () { pending = new Map() }
  }
}
