import { setTimeout as pause } from 'node:timers/promises'
import { StoreUnavailableError } from './errors.js'

/** How long SQLite itself waits, which blocks the event loop. Everything longer is waited for outside of it. */
export const BUSY_TIMEOUT_MS = 10

const ATTEMPTS = 400
const PAUSE_MS = 5
const BOOT_ATTEMPTS = 100
const BOOT_PAUSE_MS = 20

/** The three handles agree about no error code, but all hand on the message of SQLite. */
const isBusy = (error: unknown): boolean => error instanceof Error && /locked|busy/i.test(error.message)

/** Whatever keeps the database from answering, a caller may only learn that it did not. */
const unavailable = (cause: unknown): StoreUnavailableError =>
  new StoreUnavailableError('the SQLite database did not answer', { cause })

/** @throws {StoreUnavailableError} for every failure that does not pass by itself. */
function assertBusy (cause: unknown): void {
  if (!isBusy(cause)) throw unavailable(cause)
}

/**
 * Runs one statement; while another connection is writing, tries again every few milliseconds, for some seconds.
 * @throws {StoreUnavailableError} when it is never its turn, and at once for every other failure.
 */
export type WhenFree = <Result>(run: () => Result) => Promise<Result>

/**
 * SQLite gives no turns: its own waiting looks ever more rarely, and starves beside a busy writer. Each look blocks the
 * event loop, so of all the statements that wait one looks for all. For statements that wait for the same: those that
 * read never wait for a writer, and must not wait behind those that do.
 */
export function createTurns (): WhenFree {
  let paused: Promise<void> | null = null
  let reason: unknown

  return async (run) => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (paused === null) {
        try {
          return run()
        } catch (cause) {
          assertBusy(cause)
          reason = cause
          paused = pause(PAUSE_MS).then(() => { paused = null })
        }
      }
      await paused
    }
    throw unavailable(reason)
  }
}

/** The same for the boot, which has to be over when it answers: blocks the event loop while it waits. */
export function whenFreeAtBoot<Result> (run: () => Result, attemptsLeft = BOOT_ATTEMPTS): Result {
  try {
    return run()
  } catch (cause) {
    assertBusy(cause)
    if (attemptsLeft === 1) throw unavailable(cause)
  }
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BOOT_PAUSE_MS)
  return whenFreeAtBoot(run, attemptsLeft - 1)
}
