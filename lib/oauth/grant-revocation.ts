import type { RecordStore } from '../../types/stores.js'
import type { GrantOwner, GrantRecords } from './grant-records.js'
import type { RememberedConsents } from './remembered-consents.js'

const CHANNEL = 'grant-revoked'

export type RevocationListener = (grantId: string) => void

export interface Revocations {
  /**
   * Ends a grant with all its tokens: one atomic verb, in force at once. This process hears of it at once, others
   * by the store's message, or else when they look the grant up again. Answers `false` when it had ended before.
   * What the user agreed to is forgotten first, so that the client does not get another grant without a question.
   */
  revoke (grantId: string, now: number): Promise<boolean>
  /** Ends every grant of a user; answers how many. One that begins meanwhile may be missed. */
  revokeSubject (subject: string, now: number): Promise<number>
  /** Ends every grant of a client; answers how many. One that begins meanwhile may be missed. */
  revokeClient (clientId: string, now: number): Promise<number>
  /** Ends what a client has not exchanged for tokens yet, and forgets the consents to it; answers how many ended. */
  revokePending (clientId: string, now: number): Promise<number>
  /**
   * Takes back what a user gave to a client: forgets every consent and ends every grant; answers how many grants. One
   * that begins meanwhile may be missed, unless it needed the consent.
   */
  withdraw (given: { readonly subject: string, readonly clientId: string }, now: number): Promise<number>
  /** Calls `listener` for every revocation, here or elsewhere, at least once here. Answers how to stop it. */
  onRevoked (listener: RevocationListener): Promise<() => Promise<void>>
}

/** How grants end before their time, and who hears of it. */
export function createRevocations (input: {
  grantRecords: GrantRecords, consents: RememberedConsents, records: RecordStore, tenant: string
}): Revocations {
  const { grantRecords, consents, records, tenant } = input
  const listeners = new Set<RevocationListener>()

  async function end (grantId: string, now: number): Promise<boolean> {
    const removed = await grantRecords.remove(grantId, now)
    if (!removed) return false
    for (const listener of listeners) listener(grantId)
    // The removal is what counts: who misses the message finds the grant gone when it looks again.
    await records.publish({ tenant, channel: CHANNEL, text: grantId }).catch(() => {})
    return true
  }

  async function revoke (grantId: string, now: number): Promise<boolean> {
    const held = await grantRecords.read(grantId, now)
    if (held === null) return false
    await consents.forget(held.grant, now)
    return await end(grantId, now)
  }

  async function revokeAll (owner: GrantOwner, now: number): Promise<number> {
    let count = 0
    await consents.forgetAll(owner, now)
    for await (const grantId of grantRecords.idsOf(owner, now)) {
      if (await end(grantId, now)) count += 1
    }
    return count
  }

  async function withdraw (
    { subject, clientId }: { readonly subject: string, readonly clientId: string }, now: number
  ): Promise<number> {
    let count = 0
    await consents.forgetGiven({ subject, clientId }, now)
    for await (const grantId of grantRecords.idsOf({ name: 'subject', value: subject }, now)) {
      const held = await grantRecords.read(grantId, now)
      if (held?.grant.clientId === clientId && await end(grantId, now)) count += 1
    }
    return count
  }

  async function revokePending (clientId: string, now: number): Promise<number> {
    const owner: GrantOwner = { name: 'clientId', value: clientId }
    let count = 0
    await consents.forgetAll(owner, now)
    for await (const grantId of grantRecords.idsOf(owner, now)) {
      const held = await grantRecords.read(grantId, now)
      // A grant that becomes active between the two was exchanged before: it ends as well, rather than live on.
      if (held !== null && held.grant.status !== 'active' && await revoke(grantId, now)) count += 1
    }
    return count
  }

  return {
    revoke,
    revokePending,
    withdraw,
    revokeSubject: (subject, now) => revokeAll({ name: 'subject', value: subject }, now),
    revokeClient: (clientId, now) => revokeAll({ name: 'clientId', value: clientId }, now),

    async onRevoked (listener) {
      const unsubscribe = await records.subscribe({ tenant, channel: CHANNEL, listener })
      listeners.add(listener)
      return async () => {
        listeners.delete(listener)
        await unsubscribe()
      }
    }
  }
}
