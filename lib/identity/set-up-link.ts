import { randomId, secretsEqual, sha256 } from '../crypto/digest.js'
import type { RecordStore, StoredRecord } from '../../types/stores.js'
import type { Account, Accounts, Credentials } from './accounts.js'

export interface SetUp {
  /**
   * Answers a link with which the first account can be made, or `null` when there is an account, or another instance
   * offers one at this moment. The link works once, for an hour, until there is an account or another link is offered.
   * It is a secret: print it, never log it.
   */
  offer (now: number): Promise<string | null>
  /** Whether the token is that of the link that works. */
  isOpen (token: string, now: number): Promise<boolean>
  /**
   * Makes the first account. Of any number of concurrent callers exactly one can. Answers `null` when the link does
   * not work (any more).
   * @throws {AccountError} for a name or password that cannot be chosen; the link goes on working, as it does after
   * any other failure.
   */
  use (input: Credentials & { readonly token: string }, now: number): Promise<Account | null>
}

/** Seconds. */
const LIFETIME = 3600

/** `issuer` is where `signIn` serves the set-up page. */
export function createSetUp ({ records, tenant, accounts, issuer }: {
  readonly records: RecordStore
  readonly tenant: string
  readonly accounts: Pick<Accounts, 'any' | 'add'>
  readonly issuer: string
}): SetUp {
  // One record, so that there is one link.
  const key = { tenant, kind: 'set-up', id: 'link' }

  async function find (token: string, now: number): Promise<StoredRecord | null> {
    const held = await records.get(key, now)
    if (held === null || !secretsEqual(held.body, sha256(token)) || await accounts.any(now)) return null
    return held
  }

  return {
    async offer (now) {
      if (await accounts.any(now)) return null
      const token = randomId(32)
      const link = { ...key, index: {}, body: sha256(token), expiresAt: now + LIFETIME }
      await records.remove(key, now)
      return !await records.add(link, now) ? null : `${issuer}/set-up?token=${token}`
    },

    async isOpen (token, now) {
      return await find(token, now) !== null
    },

    async use ({ token, ...credentials }, now) {
      const held = await find(token, now)
      // Dead from this second on: whoever replaces this version has used it.
      if (held === null || !await records.replace({ ...held, expiresAt: now }, now)) return null
      try {
        return await accounts.add(credentials, now)
      } catch (error) {
        await records.add(held, now)
        throw error
      }
    }
  }
}
