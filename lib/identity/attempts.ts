import { sha256 } from '../crypto/digest.js'
import type { RateLimit } from '../../types/options.js'
import type { RecordStore } from '../../types/stores.js'
import { normaliseAccountName } from './account-name.js'

export interface Attempt {
  /** As it was typed. Names that do not exist are throttled like those that do. */
  readonly name: string
  /** Where it came from: what one attacker cannot easily change, such as an IPv4 address or an IPv6 /64. */
  readonly network: string
}

export interface Attempts {
  /**
   * Answers the seconds to wait, or `null` when the attempt may be made. It then counts as a failure until
   * `succeed` is called, so that many at once are counted like many in a row.
   */
  begin (attempt: Attempt, now: number): Promise<number | null>
  /** Forgets the failures for this account from this network. */
  succeed (attempt: Attempt, now: number): Promise<void>
  /** For an attempt that could not be made, because the machine was busy: counts one failure less. */
  withdraw (attempt: Attempt, now: number): Promise<void>
}

const DAY = 86_400
/** Attempts of one network, whatever the account, for each one that `limit` allows: for people behind one address. */
const PER_NETWORK = 20
const TURNS = 5

interface Body {
  readonly failures: number
  /** Seconds since the Unix epoch before which nothing more is tried. */
  readonly notBefore: number
}

/**
 * Throttles password guessing by account *and* network, and by network alone, so that nobody can lock out somebody
 * who signs in from elsewhere. After `max` failures within `window` seconds the next attempt has to wait `window`
 * seconds, then twice as long after each further failure, up to a day. Does not bound what many networks try
 * together against one account: passwords are long for that.
 */
export function createAttempts (
  { records, tenant, limit: { max, window } }: { records: RecordStore, tenant: string, limit: RateLimit }
): Attempts {
  const networkKey = ({ network }: Attempt) => ({ tenant, kind: 'sign-in-network', id: sha256(network) })
  const accountKey = ({ name, network }: Attempt) => {
    const id = sha256(JSON.stringify([network, normaliseAccountName(name)]))
    return { tenant, kind: 'sign-in-failures', id }
  }

  function next (failures: number, until: number | null, now: number): { body: string, expiresAt: number | null } {
    const wait = failures < max ? 0 : Math.min(window * 2 ** (failures - max), Math.max(window, DAY))
    const body: Body = { failures, notBefore: now + wait }
    // Remembered for as long again as it has to wait, so that the wait can double.
    return { body: JSON.stringify(body), expiresAt: wait === 0 ? until : now + 2 * wait }
  }

  async function count (attempt: Attempt, now: number): Promise<number | null> {
    const key = accountKey(attempt)
    for (let turn = 0; turn < TURNS; turn++) {
      const held = await records.get(key, now)
      if (held === null) {
        if (await records.add({ ...key, index: {}, ...next(1, now + window, now) }, now)) return null
        continue
      }
      const { failures, notBefore }: Body = JSON.parse(held.body)
      if (now < notBefore) return notBefore - now
      if (await records.replace({ ...held, ...next(failures + 1, held.expiresAt, now) }, now)) return null
    }
    // So many at once are no person at a keyboard.
    return 1
  }

  return {
    async begin (attempt, now) {
      const { count: all, resetsAt } = await records.increment(networkKey(attempt), { by: 1, window }, now)
      if (all > max * PER_NETWORK) return resetsAt - now
      return await count(attempt, now)
    },

    async succeed (attempt, now) {
      await records.remove(accountKey(attempt), now)
    },

    async withdraw (attempt, now) {
      for (let turn = 0; turn < TURNS; turn++) {
        const held = await records.get(accountKey(attempt), now)
        if (held === null) return
        const { failures }: Body = JSON.parse(held.body)
        // Whoever was let in had waited for it.
        const body: Body = { failures: failures - 1, notBefore: now }
        if (await records.replace({ ...held, body: JSON.stringify(body) }, now)) return
      }
    }
  }
}
