import { randomId, sha256 } from '../crypto/digest.js'
import type { RecordStore, StoredRecord } from '../../types/stores.js'
import type { Account, Accounts } from './accounts.js'

/** A browser in which somebody is signed in. */
export interface Session {
  readonly account: Account
  /** Seconds since the Unix epoch at which the password was given. */
  readonly startedAt: number
}

export interface Sessions {
  /** Answers the new session's id: 256 random bits, which only the browser knows. The store has its digest. */
  start (account: Account, now: number): Promise<string>
  /**
   * Answers the session unless it ended, was idle for too long, or its account was removed or got another password.
   * Being asked keeps it from becoming idle, with one write a minute at most.
   */
  find (id: string, now: number): Promise<Session | null>
  /** Answers whether there was such a session. */
  end (id: string, now: number): Promise<boolean>
}

const KIND = 'session'
// 256 bits in base64url.
const SESSION_ID = /^[A-Za-z0-9_-]{43}$/
const EXTENDED_EVERY = 60

interface Body {
  readonly name: string
  readonly subject: string
  readonly generation: number
  readonly startedAt: number
  readonly usedAt: number
}

/** `idle` and `absolute` are the seconds of `AccountsOptions`. */
export function createSessions ({ records, tenant, accounts, idle, absolute }: {
  readonly records: RecordStore
  readonly tenant: string
  readonly accounts: Pick<Accounts, 'find'>
  readonly idle: number
  readonly absolute: number
}): Sessions {
  const step = Math.min(EXTENDED_EVERY, Math.ceil(idle / 2))
  const keyOf = (id: string) => ({ tenant, kind: KIND, id: sha256(id) })
  const expiryOf = ({ usedAt, startedAt }: Body) => Math.min(usedAt + idle, startedAt + absolute)

  async function extend (held: StoredRecord, before: Body, now: number): Promise<void> {
    if (now - before.usedAt < step) return
    const body: Body = { ...before, usedAt: now }
    // Refused when the session has just ended or was extended by another request: both are as they should be.
    await records.replace({ ...held, expiresAt: expiryOf(body), body: JSON.stringify(body) }, now)
  }

  return {
    async start ({ name, subject, generation }, now) {
      const id = randomId(32)
      const body: Body = { name, subject, generation, startedAt: now, usedAt: now }
      const record = { ...keyOf(id), expiresAt: expiryOf(body), index: { subject }, body: JSON.stringify(body) }
      await records.add(record, now)
      return id
    },

    async find (id, now) {
      const held = SESSION_ID.test(id) ? await records.get(keyOf(id), now) : null
      if (held === null) return null
      const body: Body = JSON.parse(held.body)
      const account = await accounts.find(body.name, now)
      if (account === null || account.subject !== body.subject || account.generation !== body.generation) return null
      await extend(held, body, now)
      return { account, startedAt: body.startedAt }
    },

    async end (id, now) {
      return SESSION_ID.test(id) && await records.remove(keyOf(id), now)
    }
  }
}

/** Forgets the sessions of a subject: tidies up after an account that goes, or got another password. */
export async function forgetSessions (
  { records, tenant, subject }: { records: RecordStore, tenant: string, subject: string }, now: number
): Promise<void> {
  await records.removeWhere({ tenant, kind: KIND, where: { name: 'subject', value: subject } }, now)
}
