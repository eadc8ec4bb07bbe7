import { randomId } from '../crypto/digest.js'
import type { RecordStore, StoredRecord } from '../../types/stores.js'
import { normaliseAccountName } from './account-name.js'
import { weaknessOf } from './password-rules.js'
import type { Passwords } from './passwords.js'

/** Somebody who can sign in with a name and a password. */
export interface Account {
  /** As `normaliseAccountName` answers it. */
  readonly name: string
  /** Never given twice, also not when a removed name is added again. Becomes `sub`. */
  readonly subject: string
  /** Seconds since the Unix epoch. */
  readonly createdAt: number
  /** Grows with each change of the password; a session of an earlier one is dead. */
  readonly generation: number
}

export interface Credentials {
  readonly name: string
  readonly password: string
}

/** A name or password that cannot be taken. The message is a sentence for the one who chose it. */
export class AccountError extends Error {
  readonly code = 'MCPS_ERR_ACCOUNT'
  override readonly name = 'AccountError'
}

/** `reason` goes to the audit event, never to the browser; `subject` is whose account was tried, if there is one. */
export type Verification =
  | { readonly account: Account, readonly subject: string, readonly reason: 'right password' }
  | { readonly account: null, readonly subject: string | null, readonly reason: 'unknown account' | 'wrong password' }

export interface Accounts {
  /**
   * Never overwrites: of any number of concurrent callers exactly one gets a name.
   * @throws {AccountError} for a name or password that cannot be chosen, and for a name that is taken.
   */
  add (credentials: Credentials, now: number): Promise<Account>
  /** In the order of their names. */
  list (now: number): Promise<readonly Account[]>
  /** Whether there is any account. */
  any (now: number): Promise<boolean>
  find (name: string, now: number): Promise<Account | null>
  /**
   * Ends every session of the account with the same write. Grants go on: see `remove`.
   * Answers `null` when there is no such account.
   * @throws {AccountError} for a password that cannot be chosen.
   */
  changePassword (credentials: Credentials, now: number): Promise<Account | null>
  /** Ends every session of the account with the same write. What else the subject holds is the caller's to remove. */
  remove (name: string, now: number): Promise<Account | null>
  /** Does the same work for a name that does not exist, so that the time says nothing. */
  verify (credentials: Credentials, now: number): Promise<Verification>
}

const KIND = 'account'

interface Body extends Omit<Account, 'name'> {
  readonly hash: string
}

export function createAccounts (
  { records, tenant, passwords }: { records: RecordStore, tenant: string, passwords: Passwords }
): Accounts {
  const keyOf = (name: string) => ({ tenant, kind: KIND, id: name })

  async function get (name: string, now: number): Promise<StoredRecord | null> {
    const id = normaliseAccountName(name)
    return id === null ? null : await records.get(keyOf(id), now)
  }

  return {
    async add ({ name, password }, now) {
      const id = readAccountName(name)
      assertPassword(password, id)
      const subject = randomId()
      const body: Body = { subject, createdAt: now, generation: 1, hash: await passwords.hash(password) }
      const record = { ...keyOf(id), expiresAt: null, index: { subject }, body: JSON.stringify(body) }
      if (!await records.add(record, now)) throw new AccountError('There is an account with that name already.')
      return accountOf(id, body)
    },

    async list (now) {
      const accounts: Account[] = []
      let after: string | null = ''
      while (after !== null) {
        const page = await records.list({ tenant, kind: KIND, limit: 1000, ...(after === '' ? {} : { after }) }, now)
        accounts.push(...page.records.map((record) => accountOf(record.id, bodyOf(record))))
        after = page.cursor
      }
      return accounts
    },

    async any (now) {
      const page = await records.list({ tenant, kind: KIND, limit: 1 }, now)
      return page.records.length > 0
    },

    async find (name, now) {
      const held = await get(name, now)
      return held === null ? null : accountOf(held.id, bodyOf(held))
    },

    async changePassword ({ name, password }, now) {
      const id = normaliseAccountName(name)
      if (id === null) return null
      assertPassword(password, id)
      const hash = await passwords.hash(password)
      for (;;) {
        const held = await get(id, now)
        if (held === null) return null
        const before = bodyOf(held)
        const body: Body = { ...before, hash, generation: before.generation + 1 }
        if (await records.replace({ ...held, body: JSON.stringify(body) }, now)) return accountOf(id, body)
      }
    },

    async remove (name, now) {
      const id = normaliseAccountName(name)
      const taken = id === null ? null : await records.take(keyOf(id), now)
      return taken === null ? null : accountOf(taken.id, bodyOf(taken))
    },

    async verify ({ name, password }, now) {
      const held = await get(name, now)
      const body = held === null ? null : bodyOf(held)
      const { matches, outdated } = await passwords.verify(password, body?.hash ?? null)
      if (held === null || body === null) return { account: null, reason: 'unknown account', subject: null }
      if (!matches) return { account: null, reason: 'wrong password', subject: body.subject }
      if (outdated) {
        // Not `change`: the sessions go on. Whoever is faster has written a better hash, or another password.
        const renewed: Body = { ...body, hash: await passwords.hash(password) }
        await records.replace({ ...held, body: JSON.stringify(renewed) }, now)
      }
      return { account: accountOf(held.id, body), subject: body.subject, reason: 'right password' }
    }
  }
}

/** Reads back what `createAccounts` wrote. */
function bodyOf (record: StoredRecord): Body {
  const body: Body = JSON.parse(record.body)
  return body
}

function accountOf (name: string, { subject, createdAt, generation }: Body): Account {
  return { name, subject, createdAt, generation }
}

/** @throws {AccountError} for what cannot name an account. */
export function readAccountName (text: string): string {
  const name = normaliseAccountName(text)
  if (name === null) {
    throw new AccountError('An account name has 1 to 64 letters, digits, dots, dashes, underscores or at signs, and begins with a letter or digit.')
  }
  return name
}

function assertPassword (password: string, name: string): void {
  const weakness = weaknessOf(password, name)
  if (weakness !== null) throw new AccountError(weakness)
}
