import { createBus } from './bus.js'
import { assertCount, assertPageLimit, assertRecord } from './checks.js'
import { StoreUnavailableError } from './errors.js'
import { createExpiryQueue, isLive } from './expiry-queue.js'
import { createMemoryCounters } from './memory-counters.js'
import { addEntry, changeIndex, copyIndex, createPartition, entriesOf, removeEntry, type Entry, type Partition } from './partition.js'
import { InvalidOptionError } from '../errors.js'
import type { NewRecord, RecordKey, RecordQuery, RecordStore, StoredRecord } from '../../types/stores.js'

export interface MemoryStoreOptions {
  /** Records held at the same time, and as many counters beside them. 1 or more. Default 1 000 000. */
  readonly maxRecords?: number
}

function snapshot ({ partition: { tenant, kind }, id, version, expiresAt, index, body }: Entry): StoredRecord {
  return { tenant, kind, id, version, expiresAt, index, body }
}

/**
 * Keeps records in this process, which forgets them when it ends: for tests, and for one instance whose users may
 * be asked to sign in again. `publish` reaches this store's own subscribers and nobody else.
 *
 * Bounded: a full store first forgets what is dead, then refuses what is new with `StoreUnavailableError`. It never
 * lets go of a live record or counter to make room.
 * @throws {InvalidOptionError} `MCPS_ERR_INVALID_OPTION` unless `maxRecords` is a whole number, 1 or more.
 */
export function memoryStore ({ maxRecords = 1_000_000 }: MemoryStoreOptions = {}): RecordStore {
  if (!Number.isSafeInteger(maxRecords) || maxRecords < 1) {
    throw new InvalidOptionError('maxRecords must be a whole number, 1 or more')
  }
  const partitions = new Map<string, Partition>()
  const queue = createExpiryQueue<Entry>()
  const counters = createMemoryCounters(maxRecords)
  let held = 0

  // No valid name has a NUL in it, so no two pairs look the same.
  const partitionOf = ({ tenant, kind }: RecordQuery): Partition | undefined => partitions.get(`${tenant}\0${kind}`)

  function findLive (key: RecordKey, now: number): Entry | undefined {
    const entry = partitionOf(key)?.entries.get(key.id)
    return entry !== undefined && isLive(entry, now) ? entry : undefined
  }

  function forget (entry: Entry): void {
    const { partition } = entry
    removeEntry(entry)
    queue.remove(entry)
    if (partition.entries.size === 0) partitions.delete(`${partition.tenant}\0${partition.kind}`)
    held--
  }

  function hold ({ tenant, kind, id, expiresAt, index, body }: NewRecord): void {
    const partition = partitionOf({ tenant, kind }) ?? createPartition(tenant, kind)
    const entry = { partition, id, version: 1, expiresAt, slot: -1, index: copyIndex(index), body }
    partitions.set(`${tenant}\0${kind}`, partition)
    addEntry(entry)
    queue.place(entry)
    held++
  }

  return {
    ...createBus(),
    increment: counters.increment,

    async add (record, now) {
      assertRecord(record)
      const entry = partitionOf(record)?.entries.get(record.id)
      if (entry !== undefined) {
        if (isLive(entry, now)) return false
        forget(entry)
      }
      if (held >= maxRecords && queue.forgetDead({ limit: 1, forget }, now) === 0) {
        throw new StoreUnavailableError(`the memory store has ${maxRecords} live records and takes no more`)
      }
      hold(record)
      return true
    },

    async get (key, now) {
      const entry = findLive(key, now)
      return entry === undefined ? null : snapshot(entry)
    },

    versionOf: (key, now) => findLive(key, now)?.version,

    async replace (record, now) {
      assertRecord(record)
      const entry = findLive(record, now)
      if (entry === undefined || entry.version !== record.version) return false
      changeIndex(entry, record.index)
      entry.version++
      entry.body = record.body
      entry.expiresAt = record.expiresAt
      queue.place(entry)
      return true
    },

    async take (key, now) {
      const entry = findLive(key, now)
      if (entry === undefined) return null
      forget(entry)
      return snapshot(entry)
    },

    async remove (key, now) {
      const entry = findLive(key, now)
      if (entry !== undefined) forget(entry)
      return entry !== undefined
    },

    async list ({ limit, after, ...query }, now) {
      assertPageLimit(limit)
      const partition = partitionOf(query)
      const records: StoredRecord[] = []
      let last: string | null = null
      for (const entry of partition === undefined ? [] : entriesOf(partition, query.where, after)) {
        if (!isLive(entry, now)) continue
        if (records.length === limit) return { records, cursor: last }
        records.push(snapshot(entry))
        last = entry.id
      }
      return { records, cursor: null }
    },

    async removeWhere (query, now) {
      const partition = partitionOf(query)
      const found = partition === undefined ? [] : [...entriesOf(partition, query.where)]
      found.forEach(forget)
      return found.filter((entry) => isLive(entry, now)).length
    },

    async prune (limit, now) {
      assertCount('limit', limit)
      const records = queue.forgetDead({ limit, forget }, now)
      return records + counters.forgetDead(limit - records, now)
    }
  }
}
