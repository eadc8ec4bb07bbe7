import { parseArgs } from 'node:util'
import type { Clock } from '../../types/clock.js'
import type { RecordStore } from '../../types/stores.js'
import { systemClock } from '../clock.js'
import { createAccounts } from '../identity/accounts.js'
import { createPasswords } from '../identity/passwords.js'
import { commands, type Command, type Context } from './account-commands.js'
import type { Terminal } from './read-password.js'

/** The store that the server uses, opened for one command. */
export interface OpenedStore {
  readonly records: RecordStore
  /** As for `pkceStore`. Default `default`. */
  readonly tenant?: string
  readonly clock?: Clock
  /** Called when the command is done, whatever came of it. */
  close (): void | Promise<void>
}

export type OpenStore = () => OpenedStore | Promise<OpenedStore>

/** 0: done. 1: could not be done. 2: the command was not understood. */
export type ExitCode = 0 | 1 | 2

const USAGE = `Usage: account COMMAND [NAME]

  add NAME      make an account
  list          show all accounts
  passwd NAME   give an account another password and sign it out everywhere
  remove NAME   remove an account with its sessions, and end every access it gave to applications

The password is asked for, or read as one line from standard input; it is never an argument.
A name has 1 to 64 letters, digits, dots, dashes, underscores and at signs.
A password has 12 to 256 characters.

Works whether the server is running or not.
`

class UsageError extends Error {
  override readonly name = 'UsageError'
}

/**
 * Runs the operator's account command: `add NAME`, `list`, `passwd NAME`, `remove NAME` or `--help`. `argv` is what
 * comes after the script's name, `process` is a terminal. The store is opened only when the command makes sense; the
 * server may be running on it. Results go to `stdout`, everything else to `stderr`. Does not throw for what people or
 * stores do wrong, and does not end the process.
 */
export async function runAccountCommand (
  argv: readonly string[], terminal: Terminal, openStore: OpenStore
): Promise<ExitCode> {
  try {
    const { command, name } = readCommand(argv)
    terminal.stdout.write(command === null ? USAGE : await run(command, { name, terminal, openStore }))
    return 0
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const misunderstood = error instanceof UsageError
    terminal.stderr.write(misunderstood ? `${message}\n\n${USAGE}` : `${message}\n`)
    return misunderstood ? 2 : 1
  }
}

/** `null` is a call for help. */
function readCommand (argv: readonly string[]): { readonly command: Command | null, readonly name: string } {
  const { help, words: [word = '', ...names] } = readArguments(argv)
  if (help) return { command: null, name: '' }
  const known = commands.get(word)
  if (known === undefined) throw new UsageError(word === '' ? 'A command is missing.' : 'There is no such command.')
  if (names.length < known.names) throw new UsageError('The name of the account is missing.')
  if (names.length > known.names) throw new UsageError('There are too many arguments. A password is never one.')
  return { command: known.command, name: names[0] ?? '' }
}

function readArguments (argv: readonly string[]): { readonly help: boolean, readonly words: readonly string[] } {
  try {
    const options = { help: { type: 'boolean', short: 'h', default: false } } as const
    const { values: { help }, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true })
    return { help, words: positionals }
  } catch {
    throw new UsageError('There is no such option.')
  }
}

async function run (command: Command, { name, terminal, openStore }: {
  readonly name: string
  readonly terminal: Terminal
  readonly openStore: OpenStore
}): Promise<string> {
  const opened = await openStore()
  const { records, tenant = 'default', clock = systemClock } = opened
  try {
    const accounts = createAccounts({ records, tenant, passwords: createPasswords() })
    const context: Context = { terminal, records, tenant, clock, accounts }
    return await command(name, context)
  } finally {
    await opened.close()
  }
}
