import { StoreUnavailableError } from '../stores/errors.js'

/**
 * Calls a function of the host's that decides about a client or a token. What it throws is a mistake of our side, 500,
 * whatever status it carries: that is often the one of somebody else's answer, and nothing for the client. Only a
 * `StoreUnavailableError` stays what it is: 503, the host cannot decide now. `name` is where it stands in the options.
 */
export async function askHost<T> (name: string, call: () => T | Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (cause) {
    if (cause instanceof StoreUnavailableError) throw cause
    throw new Error(`${name}() of the host failed`, { cause })
  }
}
