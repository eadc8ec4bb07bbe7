import { createBus } from './bus.js'
import { assertCount, assertKey, assertPageLimit, assertRecord, isKey, isQuery } from './checks.js'
import { StoreUnavailableError } from './errors.js'
import { openSchema, type SqliteHandle, type SqliteValue } from './sqlite-schema.js'
import { createTurns, type WhenFree } from './sqlite-turns.js'
import type { RecordKey, RecordStore, StoredRecord } from '../../types/stores.js'

export type { SqliteHandle, SqliteStatement, SqliteValue } from './sqlite-schema.js'
export type { RecordStore } from '../../types/stores.js'

interface RecordRow {
  readonly id: string
  readonly version: number | bigint
  readonly expires_at: number | bigint | null
  readonly index_values: string
  readonly body: string
}

interface CounterRow {
  readonly count: number | bigint
  readonly resets_at: number | bigint
}

const KEY = 'tenant = ? and kind = ? and id = ?'
const LIVE = '(expires_at is null or expires_at > ?)'
const COLUMNS = 'id, version, expires_at, index_values, body'
const INDEXED = 'id in (select id from mcps_index where tenant = ? and kind = ? and name = ? and value = ?)'

/** One statement a verb: SQLite runs each by itself, whole or not at all, one writer at a time. */
const SQL = {
  add: `insert into mcps_records (tenant, kind, id, version, expires_at, index_values, body)
    values (?, ?, ?, 1, ?, ?, ?)
    on conflict (tenant, kind, id) do update set version = 1, expires_at = excluded.expires_at,
      index_values = excluded.index_values, body = excluded.body
    where mcps_records.expires_at <= ?
    returning 1`,
  get: `select ${COLUMNS} from mcps_records where ${KEY} and ${LIVE}`,
  replace: `update mcps_records set version = version + 1, expires_at = ?, index_values = ?, body = ?
    where ${KEY} and version = ? and ${LIVE} returning 1`,
  take: `delete from mcps_records where ${KEY} and ${LIVE} returning ${COLUMNS}`,
  list: `select ${COLUMNS} from mcps_records
    where tenant = ? and kind = ? and id > ? and ${LIVE} order by id limit ?`,
  listWhere: `select ${COLUMNS} from mcps_index cross join mcps_records using (tenant, kind, id)
    where tenant = ? and kind = ? and name = ? and value = ? and id > ? and ${LIVE} order by id limit ?`,
  removeAll: `delete from mcps_records where tenant = ? and kind = ? and ${LIVE}`,
  removeWhere: `delete from mcps_records where tenant = ? and kind = ? and ${LIVE} and ${INDEXED}`,
  increment: `insert into mcps_counters (tenant, kind, id, count, resets_at) values (?, ?, ?, ?, ?)
    on conflict (tenant, kind, id) do update set
      count = case when resets_at <= ? then excluded.count else count + excluded.count end,
      resets_at = case when resets_at <= ? then excluded.resets_at else resets_at end
    returning count, resets_at`,
  pruneRecords: `delete from mcps_records where rowid in
    (select rowid from mcps_records where expires_at <= ? limit ?)`,
  pruneCounters: `delete from mcps_counters where (tenant, kind, id) in
    (select tenant, kind, id from mcps_counters where resets_at <= ? limit ?)`
}

function prepareAll (handle: SqliteHandle) {
  const reading = createTurns()
  const writing = createTurns()
  const rows = <Row>(whenFree: WhenFree, sql: string) => {
    const statement = handle.prepare(sql)
    // Reads back what this file wrote. All rows are asked for, since only then has SQLite finished and committed.
    return (...values: SqliteValue[]): Promise<Row[]> => whenFree(() => statement.all(...values) as Row[])
  }
  const changes = (sql: string) => {
    const statement = handle.prepare(sql)
    return (...values: SqliteValue[]): Promise<number> => writing(() => Number(statement.run(...values).changes))
  }
  return {
    add: rows(writing, SQL.add),
    get: rows<RecordRow>(reading, SQL.get),
    replace: rows(writing, SQL.replace),
    take: rows<RecordRow>(writing, SQL.take),
    list: rows<RecordRow>(reading, SQL.list),
    listWhere: rows<RecordRow>(reading, SQL.listWhere),
    removeAll: changes(SQL.removeAll),
    removeWhere: changes(SQL.removeWhere),
    increment: rows<CounterRow>(writing, SQL.increment),
    pruneRecords: changes(SQL.pruneRecords),
    pruneCounters: changes(SQL.pruneCounters)
  }
}

function readRow ({ tenant, kind }: Pick<RecordKey, 'tenant' | 'kind'>, row: RecordRow): StoredRecord {
  return {
    tenant,
    kind,
    id: row.id,
    version: Number(row.version),
    expiresAt: row.expires_at === null ? null : Number(row.expires_at),
    index: JSON.parse(row.index_values),
    body: row.body
  }
}

/**
 * Keeps records in a SQLite database, in tables of its own named `mcps_...`. Works on an open handle of node:sqlite,
 * better-sqlite3 or libsql, which stays the host's to close; the host may keep other tables beside.
 *
 * Several processes may share the file. What was acknowledged survives the death of the process and, as far as the
 * disk keeps its word, of the machine (write-ahead log, `synchronous = full`; a host that would rather lose the last
 * moments at a power cut runs `pragma synchronous = normal` on the handle afterwards). While another process writes,
 * a verb waits for some seconds without blocking the event loop, then rejects with `StoreUnavailableError`, as it does
 * at once for every other failure of the database.
 *
 * SQLite itself works in the event loop: a read takes microseconds, a write what the disk takes. `publish` reaches
 * the subscribers of this store object only: another process learns of a revocation when it next reads the grant
 * (`recheck` of the scope guard).
 * @throws {StoreUnavailableError} `MCPS_ERR_STORE_UNAVAILABLE` when the database cannot be opened.
 * @throws {InvalidOptionError} `MCPS_ERR_INVALID_OPTION` when its tables are of another release's schema.
 */
export function sqliteStore (handle: SqliteHandle): RecordStore {
  openSchema(handle)
  const statements = prepareAll(handle)

  return {
    ...createBus(),

    async add (record, now) {
      assertRecord(record)
      const { tenant, kind, id, expiresAt, index, body } = record
      return (await statements.add(tenant, kind, id, expiresAt, JSON.stringify(index), body, now)).length === 1
    },

    async get (key, now) {
      const [row] = isKey(key) ? await statements.get(key.tenant, key.kind, key.id, now) : []
      return row === undefined ? null : readRow(key, row)
    },

    async replace (record, now) {
      assertRecord(record)
      const { tenant, kind, id, version, expiresAt, index, body } = record
      const values = [expiresAt, JSON.stringify(index), body, tenant, kind, id, version, now]
      return (await statements.replace(...values)).length === 1
    },

    async take (key, now) {
      const [row] = isKey(key) ? await statements.take(key.tenant, key.kind, key.id, now) : []
      return row === undefined ? null : readRow(key, row)
    },

    async remove (key, now) {
      return isKey(key) && (await statements.take(key.tenant, key.kind, key.id, now)).length === 1
    },

    async list ({ limit, after = '', ...query }, now) {
      assertPageLimit(limit)
      if (!isQuery(query)) return { records: [], cursor: null }
      const { tenant, kind, where } = query
      // One more than asked for tells whether there is a next page.
      const rows = where === undefined
        ? await statements.list(tenant, kind, after, now, limit + 1)
        : await statements.listWhere(tenant, kind, where.name, where.value, after, now, limit + 1)
      const records = rows.slice(0, limit).map((row) => readRow(query, row))
      return { records, cursor: rows.length > limit ? records.at(-1)!.id : null }
    },

    async removeWhere (query, now) {
      if (!isQuery(query)) return 0
      const { tenant, kind, where } = query
      return where === undefined
        ? statements.removeAll(tenant, kind, now)
        : statements.removeWhere(tenant, kind, now, tenant, kind, where.name, where.value)
    },

    async increment (key, { by, window }, now) {
      assertKey(key)
      assertCount('by', by)
      assertCount('window', window)
      const [row] = await statements.increment(key.tenant, key.kind, key.id, by, now + window, now, now)
      if (row === undefined) throw new StoreUnavailableError('the SQLite database counted nothing')
      return { count: Number(row.count), resetsAt: Number(row.resets_at) }
    },

    async prune (limit, now) {
      assertCount('limit', limit)
      const records = await statements.pruneRecords(now, limit)
      return records + (records < limit ? await statements.pruneCounters(now, limit - records) : 0)
    }
  }
}
