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
function assertBusy (cause: unknown, attemptsLeft: number): void {
  if (attemptsLeft > 1 && isBusy(cause)) return
  throw new StoreUnavailableError('the SQLite database did not answer', { cause })
}

/**
 * Runs one statement; while another connection is writing, tries again every few milliseconds, for some seconds.
 * SQLite gives no turns: its own waiting looks ever more rarely, and starves beside a busy writer.
 * @throws {StoreUnavailableError} when it is never its turn, and at once for every other failure.
 */
export async function whenFree<Result> (run: () => Result, attemptsLeft = ATTEMPTS): Promise<Result> {
  try {
    return run()
  } catch (cause) {
    assertBusy(cause, attemptsLeft)
  }
  await pause(PAUSE_MS)
  return whenFree(run, attemptsLeft - 1)
}

/** The same for the boot, which has to be over when it answers: blocks the event loop while it waits. */
export function whenFreeAtBoot<Result> (run: () => Result, attemptsLeft = BOOT_ATTEMPTS): Result {
  try {
    return run()
  } catch (cause) {
    assertBusy(cause, attemptsLeft)
  }
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BOOT_PAUSE_MS)
  return whenFreeAtBoot(run, attemptsLeft - 1)
}
