/** More work than the machine should take on at once. Answered 503 with `Retry-After`. */
export class TooBusyError extends Error {
  readonly code = 'MCPS_ERR_TOO_BUSY'
  readonly statusCode = 503
  override readonly name = 'TooBusyError'
}

export interface Bounds {
  /** Tasks that run at the same time. */
  readonly running: number
  /** Tasks that wait for one of them to end. */
  readonly waiting: number
}

export type BoundedWork = <T>(task: () => Promise<T>) => Promise<T>

/**
 * Runs tasks in the order of their arrival, never more than `running` at once.
 * @throws {TooBusyError} `MCPS_ERR_TOO_BUSY`, before the task has begun, when `waiting` tasks wait already.
 */
export function boundWork ({ running, waiting }: Bounds): BoundedWork {
  const queue: Array<() => void> = []
  let busy = 0

  async function turn (): Promise<void> {
    if (busy < running) {
      busy += 1
      return
    }
    if (queue.length >= waiting) throw new TooBusyError('too many tasks wait already')
    // Whoever ends hands its place over, so `busy` stays as it is.
    await new Promise<void>((resolve) => { queue.push(resolve) })
  }

  function end (): void {
    const next = queue.shift()
    if (next === undefined) busy -= 1
    else next()
  }

  return async (task) => {
    await turn()
    try {
      return await task()
    } finally {
      end()
    }
  }
}
