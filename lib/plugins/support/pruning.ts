import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../../../types/clock.js'
import type { RecordStore } from '../../../types/stores.js'

/** Records forgotten in one go, so that a large backlog does not hold up requests. */
const BATCH = 1000

/**
 * Forgets what has expired, every `interval` seconds, until stopped. One round at a time; a round that fails is logged
 * and the next one tries again. Does not keep the process alive.
 */
export function startPruning ({ records, clock, interval, log }: {
  readonly records: Pick<RecordStore, 'prune'>
  readonly clock: Clock
  readonly interval: number
  readonly log: Pick<FastifyBaseLogger, 'warn'>
}): { stop (): Promise<void> } {
  const end = new AbortController()
  let round = Promise.resolve()
  let timer = later()

  function later (): NodeJS.Timeout {
    return setTimeout(() => { round = forget() }, interval * 1000).unref()
  }

  async function forget (): Promise<void> {
    try {
      while (!end.signal.aborted && await records.prune(BATCH, clock()) === BATCH);
    } catch (error) {
      log.warn({ err: error }, 'forgetting expired records failed')
    }
    if (!end.signal.aborted) timer = later()
  }

  return {
    async stop () {
      end.abort()
      clearTimeout(timer)
      await round
    }
  }
}
