import { BUSY_TIMEOUT_MS, whenFreeAtBoot } from './sqlite-turns.js'
import { InvalidOptionError } from '../errors.js'

export type SqliteValue = string | number | null

export interface SqliteStatement {
  run (...values: SqliteValue[]): { readonly changes: number | bigint }
  all (...values: SqliteValue[]): unknown[]
}

/** An open database: `DatabaseSync` of node:sqlite, `Database` of better-sqlite3 or libsql. */
export interface SqliteHandle {
  exec (sql: string): unknown
  prepare (sql: string): SqliteStatement
}

const VERSION = 1

/** The index rows follow their record by triggers, so that each verb stays one statement. */
const TABLES = `
create table if not exists mcps_records (
  tenant text not null, kind text not null, id text not null,
  version integer not null, expires_at integer, index_values text not null, body text not null,
  primary key (tenant, kind, id)
) strict;
create index if not exists mcps_records_expiry on mcps_records (expires_at) where expires_at is not null;

create table if not exists mcps_index (
  tenant text not null, kind text not null, name text not null, value text not null, id text not null,
  primary key (tenant, kind, name, value, id)
) strict, without rowid;
create trigger if not exists mcps_records_added after insert on mcps_records begin
  insert into mcps_index select new.tenant, new.kind, key, value, new.id from json_each(new.index_values);
end;
create trigger if not exists mcps_records_removed after delete on mcps_records begin
  delete from mcps_index where (tenant, kind, name, value, id) in
    (select old.tenant, old.kind, key, value, old.id from json_each(old.index_values));
end;
create trigger if not exists mcps_records_changed after update of index_values on mcps_records
when old.index_values <> new.index_values begin
  delete from mcps_index where (tenant, kind, name, value, id) in
    (select old.tenant, old.kind, key, value, old.id from json_each(old.index_values));
  insert into mcps_index select new.tenant, new.kind, key, value, new.id from json_each(new.index_values);
end;

create table if not exists mcps_counters (
  tenant text not null, kind text not null, id text not null,
  count integer not null, resets_at integer not null,
  primary key (tenant, kind, id)
) strict, without rowid;
create index if not exists mcps_counters_expiry on mcps_counters (resets_at);

insert into mcps_schema (one, version) values (1, ${VERSION}) on conflict do nothing;
`

function versionOf (handle: SqliteHandle): number | null {
  const [row] = handle.prepare('select version from mcps_schema').all() as { version: number | bigint }[]
  return row === undefined ? null : Number(row.version)
}

/** Every step may be repeated: a process that was killed half-way, or a second one at the same time, does no harm. */
function prepareDatabase (handle: SqliteHandle): number | null {
  handle.exec(`pragma busy_timeout = ${BUSY_TIMEOUT_MS}`)
  handle.exec('pragma journal_mode = wal')
  handle.exec('pragma synchronous = full')
  handle.exec('create table if not exists mcps_schema (one integer primary key check (one = 1), version integer) strict')
  if (versionOf(handle) === null) handle.exec(TABLES)
  return versionOf(handle)
}

/**
 * Makes the tables unless they are there, and sets the connection up: write-ahead log, full synchronisation.
 * @throws {StoreUnavailableError} when the database cannot be used.
 * @throws {InvalidOptionError} when another release of this package wrote it, with a schema that this one cannot read.
 */
export function openSchema (handle: SqliteHandle): void {
  const version = whenFreeAtBoot(() => prepareDatabase(handle))
  if (version !== VERSION) {
    throw new InvalidOptionError(`store: the database has schema ${version}, this release works with schema ${VERSION}`)
  }
}
