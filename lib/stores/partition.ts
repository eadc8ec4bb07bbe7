import { addId, idsAfter, removeId, type OrderedIds } from './ordered-ids.js'
import type { Expiring } from './expiry-queue.js'
import type { RecordQuery } from '../../types/stores.js'

/** One record in memory. Its own fields and nothing nested but the index, which records with the same may share. */
export interface Entry extends Expiring {
  readonly partition: Partition
  readonly id: string
  version: number
  index: Readonly<Record<string, string>>
  body: string
}

/** Most index values have one record: that one needs no array. */
type Bucket = string | OrderedIds

/** The records of one tenant and kind. */
export interface Partition {
  readonly tenant: string
  readonly kind: string
  readonly entries: Map<string, Entry>
  readonly ids: OrderedIds
  /** Index name -> value -> ids. */
  readonly buckets: Map<string, Map<string, Bucket>>
}

/** Frozen, so that it may be handed out again and again. A frozen spread would take four times the memory in V8. */
export function copyIndex (index: Entry['index']): Entry['index'] {
  return Object.freeze(Object.fromEntries(Object.entries(index)))
}

export function createPartition (tenant: string, kind: string): Partition {
  return { tenant, kind, entries: new Map(), ids: [], buckets: new Map() }
}

function addToIndex ({ partition, id, index }: Entry): void {
  for (const [name, value] of Object.entries(index)) {
    const values = partition.buckets.get(name) ?? new Map<string, Bucket>()
    const bucket = values.get(value)
    if (typeof bucket === 'object') addId(bucket, id)
    else values.set(value, bucket === undefined ? id : [bucket < id ? [bucket, id] : [id, bucket]])
    partition.buckets.set(name, values)
  }
}

function removeFromIndex ({ partition, id, index }: Entry): void {
  for (const [name, value] of Object.entries(index)) {
    const values = partition.buckets.get(name)!
    const bucket = values.get(value)
    if (typeof bucket === 'object') removeId(bucket, id)
    if (typeof bucket === 'string' || bucket?.length === 0) values.delete(value)
    if (values.size === 0) partition.buckets.delete(name)
  }
}

export function addEntry (entry: Entry): void {
  entry.partition.entries.set(entry.id, entry)
  addId(entry.partition.ids, entry.id)
  addToIndex(entry)
}

export function removeEntry (entry: Entry): void {
  entry.partition.entries.delete(entry.id)
  removeId(entry.partition.ids, entry.id)
  removeFromIndex(entry)
}

function isSame (index: Entry['index'], other: Entry['index']): boolean {
  const names = Object.keys(index)
  return names.length === Object.keys(other).length && names.every((name) => index[name] === other[name])
}

/** Puts another index in the place of an entry's own. Nearly always it says the same. */
export function changeIndex (entry: Entry, index: Entry['index']): void {
  if (isSame(index, entry.index)) return
  removeFromIndex(entry)
  entry.index = copyIndex(index)
  addToIndex(entry)
}

/** The entries that a query finds, live and dead, in the order of their ids. */
export function * entriesOf (partition: Partition, where: RecordQuery['where'], after = ''): Generator<Entry> {
  const bucket = where === undefined ? partition.ids : partition.buckets.get(where.name)?.get(where.value) ?? []
  for (const id of typeof bucket === 'string' ? [bucket] : idsAfter(bucket, after)) {
    if (id > after) yield partition.entries.get(id)!
  }
}
