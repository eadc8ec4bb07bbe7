import { networkOf } from '../protocol/networks.js'
import type { Secrets } from '../../types/crypto.js'
import type { Lifetimes } from '../../types/oauth.js'
import type { RecordStore } from '../../types/stores.js'

/** Networks share so many counters, of which strangers cannot know which: a million of them make no million. */
const BUCKET_CHARACTERS = 2
const ALL = 'registrations'

export interface ClientQuota {
  /** Counts one more client that nobody authorized yet. Answers whether it may be kept. */
  hasRoom (address: string, now: number): Promise<boolean>
}

/**
 * How many clients are kept that nobody has authorized yet, without a count that concurrent processes would have to
 * agree on: half of `maxClients` may be added in each window of `lifetimes.unusedClient`, after which they are gone,
 * so never more than `maxClients` of them are kept; and of these `maxClientsPerNetwork` for each IPv4 /24 and IPv6 /64,
 * so that one network does not use up what is for all.
 */
export function createClientQuota (input: {
  readonly records: RecordStore
  readonly tenant: string
  readonly secrets: Secrets
  readonly lifetimes: Lifetimes
  readonly maxClients: number
  readonly maxClientsPerNetwork: number
}): ClientQuota {
  const { records, tenant, secrets, lifetimes } = input

  // Until when a counter cannot but be over its bound: a flood then costs the store nothing.
  const fullUntil = new Map<string, number>()

  const isFull = (id: string, now: number): boolean => now < (fullUntil.get(id) ?? now)

  async function isWithin (max: number, id: string, now: number): Promise<boolean> {
    const key = { tenant, kind: 'client-quota', id }
    const { count, resetsAt } = await records.increment(key, { by: 1, window: lifetimes.unusedClient }, now)
    if (count >= max) fullUntil.set(id, resetsAt)
    return count <= max
  }

  return {
    async hasRoom (address, now) {
      const network = `network ${secrets.mac('client-ids', `network ${networkOf(address)}`).slice(0, BUCKET_CHARACTERS)}`
      if (isFull(ALL, now) || isFull(network, now)) return false
      return await isWithin(input.maxClientsPerNetwork, network, now) &&
        await isWithin(Math.floor(input.maxClients / 2), ALL, now)
    }
  }
}
