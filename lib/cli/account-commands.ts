import type { Clock } from '../../types/clock.js'
import type { RecordStore } from '../../types/stores.js'
import { AccountError, readAccountName, type Account, type Accounts } from '../identity/accounts.js'
import { forgetSessions } from '../identity/sessions.js'
import { createGrantRecords } from '../oauth/grant-records.js'
import { createRevocations } from '../oauth/grant-revocation.js'
import { createRememberedConsents } from '../oauth/remembered-consents.js'
import { lifetimesOf } from '../plugins/support/lifetimes.js'
import { readPassword, type Terminal } from './read-password.js'

export interface Context {
  readonly terminal: Terminal
  readonly records: RecordStore
  readonly tenant: string
  readonly clock: Clock
  readonly accounts: Accounts
}

/** Answers what is told on standard output. */
export type Command = (name: string, context: Context) => Promise<string>

export const commands: ReadonlyMap<string, { readonly command: Command, readonly names: 0 | 1 }> = new Map([
  ['add', { command: add, names: 1 }],
  ['list', { command: list, names: 0 }],
  ['passwd', { command: changePassword, names: 1 }],
  ['remove', { command: remove, names: 1 }]
])

const unknown = (): AccountError => new AccountError('There is no account with that name.')

async function find (name: string, { accounts, clock }: Context): Promise<Account> {
  const account = await accounts.find(name, clock())
  if (account === null) throw unknown()
  return account
}

async function add (text: string, { terminal, accounts, clock }: Context): Promise<string> {
  const name = readAccountName(text)
  // Said before a password is asked for; `add` itself makes sure.
  if (await accounts.find(name, clock()) !== null) throw new AccountError('There is an account with that name already.')
  await accounts.add({ name, password: await readPassword(terminal) }, clock())
  return `Made the account ${name}.\n`
}

async function list (_name: string, { accounts, clock }: Context): Promise<string> {
  const all = await accounts.list(clock())
  if (all.length === 0) return 'There are no accounts yet.\n'
  const width = Math.max(...all.map(({ name }) => name.length))
  return all.map(({ name, createdAt }) => `${name.padEnd(width)}  since ${dayOf(createdAt)}\n`).join('')
}

async function changePassword (text: string, context: Context): Promise<string> {
  const { terminal, accounts, clock } = context
  const { name } = await find(text, context)
  const changed = await accounts.changePassword({ name, password: await readPassword(terminal) }, clock())
  if (changed === null) throw unknown()
  return `Changed the password of ${name} and signed it out everywhere. Applications keep the access they have.\n`
}

/** Access first: when the command is cut short, the account is still there to be removed again. */
async function remove (text: string, context: Context): Promise<string> {
  const { accounts, clock } = context
  const { name, subject } = await find(text, context)
  const before = await endAccess(subject, context)
  if (await accounts.remove(name, clock()) === null) throw unknown()
  // Whatever was allowed between the two.
  const after = await endAccess(subject, context)
  return `Removed the account ${name}. Access of applications ended: ${before + after}.\n`
}

async function endAccess (subject: string, { records, tenant, clock }: Context): Promise<number> {
  await forgetSessions({ records, tenant, subject }, clock())
  const held = { records, tenant, lifetimes: lifetimesOf() }
  const revocations =
    createRevocations({ ...held, grantRecords: createGrantRecords(held), consents: createRememberedConsents(held) })
  return await revocations.revokeSubject(subject, clock())
}

function dayOf (seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10)
}
