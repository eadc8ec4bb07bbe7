import type { NewRecord, RecordKey, RecordQuery } from '../../types/stores.js'

/** Well-formed Unicode without NUL, so that every engine keeps it exactly (PostgreSQL refuses NUL in a text). */
const NAME = /^[^\0\ud800-\udfff]{1,512}$/u
const VALUE = /^[^\0\ud800-\udfff]{0,512}$/u
const MAX_INDEX_VALUES = 8
const MAX_PAGE = 1000

/** Whether a record can be held under this key at all. */
export function isKey ({ tenant, kind, id }: RecordKey): boolean {
  return NAME.test(tenant) && NAME.test(kind) && NAME.test(id)
}

/** Whether a query can find anything at all. */
export function isQuery ({ tenant, kind, where }: RecordQuery): boolean {
  const isWhere = where === undefined || (NAME.test(where.name) && VALUE.test(where.value))
  return isWhere && NAME.test(tenant) && NAME.test(kind)
}

/** @throws {TypeError} when tenant, kind or id is not 1 to 512 well-formed characters without NUL. */
export function assertKey (key: RecordKey): void {
  if (!isKey(key)) throw new TypeError('a record key must be of 1 to 512 well-formed characters without NUL')
}

/** @throws {TypeError} when key, expiry or an index value cannot be kept exactly, or there are more than 8 values. */
export function assertRecord (record: NewRecord): void {
  assertKey(record)
  if (record.expiresAt !== null && !Number.isSafeInteger(record.expiresAt)) {
    throw new TypeError('expiresAt must be a whole number of seconds or null')
  }
  const index = Object.entries(record.index)
  if (index.length > MAX_INDEX_VALUES || !index.every(([name, value]) => NAME.test(name) && VALUE.test(value))) {
    throw new TypeError('a record must have at most 8 index values of up to 512 well-formed characters without NUL')
  }
}

/** @throws {RangeError} unless `value` is a whole number from 1 to `max`. `name` says which argument it is. */
export function assertCount (name: string, value: number, max: number = Number.MAX_SAFE_INTEGER): void {
  if (!Number.isSafeInteger(value) || value < 1 || value > max) {
    throw new RangeError(`${name} must be a whole number from 1 to ${max}`)
  }
}

/** @throws {RangeError} unless a page may have so many records. */
export function assertPageLimit (limit: number): void {
  assertCount('limit', limit, MAX_PAGE)
}
