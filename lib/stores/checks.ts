import { isWellFormed } from '../protocol/text.js'
import type { NewRecord, RecordKey, RecordQuery } from '../../types/stores.js'

const MAX_LENGTH = 512
const MAX_INDEX_VALUES = 8
const MAX_PAGE = 1000
const SUSPECT = /[\0\ud800-\udfff]/

/** Whether every engine keeps this text exactly: UTF-8 has no lone surrogates, PostgreSQL no NUL. */
function isExact (text: string): boolean {
  return text.length <= MAX_LENGTH && (!SUSPECT.test(text) || (!text.includes('\0') && isWellFormed(text)))
}

const isName = (text: string): boolean => text !== '' && isExact(text)

/** Whether a record can be held under this key at all. */
export function isKey ({ tenant, kind, id }: RecordKey): boolean {
  return isName(tenant) && isName(kind) && isName(id)
}

/** Whether a query can find anything at all. */
export function isQuery ({ tenant, kind, where }: RecordQuery): boolean {
  const isWhere = where === undefined || (isName(where.name) && isExact(where.value))
  return isWhere && isName(tenant) && isName(kind)
}

/** @throws {TypeError} when tenant, kind or id is not 1 to 512 UTF-16 code units, well-formed and without NUL. */
export function assertKey (key: RecordKey): void {
  if (!isKey(key)) throw new TypeError('a record key must be of 1 to 512 UTF-16 code units, well-formed and without NUL')
}

/** @throws {TypeError} when key, expiry or an index value cannot be kept exactly, or there are more than 8 values. */
export function assertRecord (record: NewRecord): void {
  assertKey(record)
  if (record.expiresAt !== null && !Number.isSafeInteger(record.expiresAt)) {
    throw new TypeError('expiresAt must be a whole number of seconds or null')
  }
  const index = Object.entries(record.index)
  if (index.length > MAX_INDEX_VALUES || !index.every(([name, value]) => isName(name) && isExact(value))) {
    throw new TypeError('a record must have at most 8 index values of up to 512 UTF-16 code units, well-formed and without NUL')
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
