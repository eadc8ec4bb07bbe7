import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { sqliteStore, type RecordStore, type SqliteHandle } from 'fastify-mcp-security/stores/sqlite'
import { SettingsError, type Settings } from './settings.js'

export interface Data {
  /** A connection of the notes' own. */
  readonly notes: SqliteHandle
  readonly store: RecordStore
  /** What the server says about them at its start. */
  readonly report: readonly string[]
  close (): Promise<void>
}

/** In milliseconds, while which nothing else is answered: notes are written when another process has written. */
const NOTES_WAIT = 1000

const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}

/** Opens (or makes) the SQLite file that holds accounts, clients, grants and notes. */
export async function openData (directory: string): Promise<Data> {
  // What is made here is nobody else's to read, also in a directory that was there before.
  process.umask(0o077)
  try {
    mkdirSync(directory, { recursive: true })
  } catch (error) {
    throw new SettingsError(`DATA_DIR ${directory} cannot be made: ${reasonOf(error)}`)
  }
  const file = join(directory, 'reference.db')
  try {
    return await openFile(file)
  } catch (error) {
    throw new SettingsError(`${file} cannot be used: ${reasonOf(error)}`)
  }
}

async function openFile (file: string): Promise<Data> {
  const { handle, driver } = await openHandle(file)
  const store = sqliteStore(handle)
  const { handle: notes } = await openHandle(file)
  notes.exec(`pragma busy_timeout = ${NOTES_WAIT}`)
  return {
    notes,
    store,
    report: [`data: ${file} (${driver})`],
    async close () {
      await store.close()
      handle.close()
      notes.close()
    }
  }
}

type ClosableHandle = SqliteHandle & { close (): void }

/** node:sqlite where this Node has it without a flag, libsql elsewhere. */
async function openHandle (file: string): Promise<{ handle: ClosableHandle, driver: string }> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 13)) {
    const name = 'node:sqlite'
    const { DatabaseSync } = await import(name)
    return { handle: new DatabaseSync(file), driver: name }
  }
  const { default: Database } = await import('libsql')
  return { handle: new Database(file), driver: 'libsql' }
}

/** What seals keys and tokens: the secrets of the configuration file, or the one in the data directory. */
export function openSecrets (
  { configuration, dataDirectory }: Settings
): { readonly secrets: readonly string[], readonly report: string } {
  const { secrets } = configuration
  if (secrets !== undefined) return { secrets, report: 'keys: sealed under the secrets of the configuration file' }
  const { secret, report } = openSecret(dataDirectory)
  return { secrets: [secret], report }
}

/**
 * A secret that is made at the first start, readable by its owner alone. Of two processes that start at once both end
 * with the same one: the file appears whole or not at all.
 */
export function openSecret (directory: string): { readonly secret: string, readonly report: string } {
  const path = join(directory, 'secret.key')
  const { secret, made } = readSecret(path)
  if (secret.length < 32) throw new SettingsError(`${path} is damaged: it must hold at least 32 characters`)
  const report = made ? `a new secret in ${path} (back it up)` : `the secret in ${path}`
  return { secret, report: `keys: sealed under ${report}` }
}

function readSecret (path: string): { readonly secret: string, readonly made: boolean } {
  try {
    const made = makeOnce(path)
    return { made, secret: readFileSync(path, 'utf8').trim() }
  } catch (error) {
    throw new SettingsError(`${path} cannot be used: ${reasonOf(error)}`)
  }
}

function makeOnce (path: string): boolean {
  if (existsSync(path)) return false
  const draft = `${path}.${randomBytes(8).toString('hex')}`
  const descriptor = openSync(draft, 'wx', 0o600)
  try {
    writeSync(descriptor, `${randomBytes(48).toString('base64url')}\n`)
    fsyncSync(descriptor)
    linkSync(draft, path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  } finally {
    closeSync(descriptor)
    unlinkSync(draft)
  }
}
