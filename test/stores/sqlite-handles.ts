import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Libsql from 'libsql'
import type { SqliteHandle } from '../../lib/stores/sqlite.js'
import type { Teardown } from '../helpers/build-app.js'

export type OpenHandle = (file: string) => SqliteHandle & { close (): unknown }

export interface HandleKind {
  readonly name: string
  readonly open: OpenHandle
  /** Why this one cannot be tried here; `false` when it can. */
  readonly skip: string | false
}

async function findNodeSqlite (): Promise<HandleKind> {
  const name = 'node:sqlite'
  try {
    const { DatabaseSync } = await import(name)
    return { name, open: (file) => new DatabaseSync(file), skip: false }
  } catch {
    return { name, open: () => { throw new Error(name) }, skip: `${name} is not in Node ${process.versions.node}` }
  }
}

export const HANDLES: readonly HandleKind[] = [
  { name: 'libsql', open: (file) => new Libsql(file), skip: false },
  await findNodeSqlite()
]

/** The path of a database that is not there yet, in a directory that goes with the test. */
export function newDatabase (t: Teardown): string {
  const directory = mkdtempSync(join(tmpdir(), 'mcps-sqlite-'))
  t.teardown(() => { rmSync(directory, { recursive: true, force: true }) })
  return join(directory, 'records.db')
}
