import { StoreUnavailableError } from '../../lib/stores/errors.js'
import type { RecordStore } from '../../types/stores.js'

/** Fails the next call of a verb once armed: before it does anything, or after it has committed, as a crash may. */
export function failingStore (records: RecordStore) {
  let armed: { verb: 'add' | 'replace' | 'remove', when: 'before' | 'after' } | null = null

  function failing<A extends unknown[], R> (verb: 'add' | 'replace' | 'remove', call: (...args: A) => Promise<R>) {
    return async (...args: A): Promise<R> => {
      const failure = armed?.verb === verb ? armed.when : null
      if (failure !== null) armed = null
      if (failure === 'before') throw new StoreUnavailableError('failed before the verb')
      const result = await call(...args)
      if (failure === 'after') throw new StoreUnavailableError('failed after the verb')
      return result
    }
  }

  return {
    ...records,
    add: failing('add', records.add),
    replace: failing('replace', records.replace),
    remove: failing('remove', records.remove),
    failOnce (verb: 'add' | 'replace' | 'remove', when: 'before' | 'after') { armed = { verb, when } }
  }
}
