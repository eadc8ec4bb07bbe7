import { InvalidOptionError } from '../../errors.js'

/**
 * Runs a rule of protocol/ or access/ on an option: what it throws says what is wrong, `path` goes before it.
 * @throws {InvalidOptionError}
 */
export function inOption<T> (path: string, rule: () => T): T {
  try {
    return rule()
  } catch (cause) {
    if (cause instanceof TypeError) throw new InvalidOptionError(`${path}${cause.message}`)
    throw cause
  }
}
