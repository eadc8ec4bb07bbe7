import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { sqliteStore, type RecordStore, type SqliteHandle } from 'fastify-mcp-security/stores/sqlite'
import { SettingsError } from './settings.js'

export interface Data {
  readonly handle: SqliteHandle
  readonly store: RecordStore
  /** What the server says about them at its start. */
  readonly report: readonly string[]
  readonly file: string
  close (): Promise<void>
}

/** Opens (or makes) the SQLite file that holds accounts, clients, grants and notes. */
export async function openData (directory: string): Promise<Data> {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new SettingsError(`DATA_DIR ${directory} cannot be made: ${error instanceof Error ? error.message : String(error)}`)
  }
  const file = join(directory, 'reference.db')
  const { handle, driver } = await openHandle(file)
  const store = sqliteStore(handle)
  return {
    handle,
    store,
    file,
    report: [`data: ${file} (${driver})`],
    async close () {
      await store.close()
      handle.close()
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

/**
 * The secret that seals keys and tokens: made at the first start, readable by its owner alone. Of two processes that
 * start at once both end with the same one: the file appears whole or not at all.
 */
export function openSecret (directory: string): { secret: string, report: string } {
  const path = join(directory, 'secret.key')
  const made = makeOnce(path)
  const secret = readFileSync(path, 'utf8').trim()
  if (secret.length < 32) throw new SettingsError(`${path} is damaged: it must hold at least 32 characters`)
  return { secret, report: made ? `keys: sealed under a new secret in ${path} (back it up)` : `keys: sealed under the secret in ${path}` }
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
