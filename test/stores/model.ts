import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { NewRecord, RecordKey, RecordQuery, RecordStore, StoredRecord } from '../../types/stores.js'

interface Counter { readonly count: number, readonly resetsAt: number }

/** What a store is: two maps. Slow and plain, so that it can be seen to be right. */
interface Model {
  readonly records: Map<string, StoredRecord>
  readonly counters: Map<string, Counter>
  now: number
}

type Step = fc.AsyncCommand<Model, RecordStore>

const nameOf = ({ tenant, kind, id }: RecordKey): string => JSON.stringify([tenant, kind, id])

function live (model: Model, key: RecordKey): StoredRecord | null {
  const record = model.records.get(nameOf(key))
  return record === undefined || (record.expiresAt !== null && record.expiresAt <= model.now) ? null : record
}

function find (model: Model, { tenant, kind, where }: RecordQuery): StoredRecord[] {
  return [...model.records.values()]
    .filter((record) => live(model, record) !== null && record.tenant === tenant && record.kind === kind)
    .filter(({ index }) => where === undefined || index[where.name] === where.value)
    .sort((a, b) => a.id < b.id ? -1 : 1)
}

const step = (name: string, run: (model: Model, store: RecordStore) => Promise<void>): Step => ({
  check: () => true,
  run,
  toString: () => name
})

const key = fc.record({
  tenant: fc.constantFrom('t', 'u'),
  kind: fc.constantFrom('k', 'l'),
  id: fc.constantFrom('a', 'b', 'c', 'd', 'é', '"', '%')
})
const value = fc.constantFrom('x', 'y', '')
const index = fc.dictionary(fc.constantFrom('subject', 'client'), value, { noNullPrototype: true })
const content = fc.record({ lifetime: fc.option(fc.integer({ min: 0, max: 20 })), index, body: fc.json() })
const query = fc.record({
  tenant: fc.constantFrom('t', 'u'),
  kind: fc.constantFrom('k', 'l'),
  name: fc.option(fc.constantFrom('subject', 'client')),
  value
}).map(({ name, value, ...place }): RecordQuery => name === null ? place : { ...place, where: { name, value } })

type Content = typeof content extends fc.Arbitrary<infer Value> ? Value : never

function recordOf (model: Model, key: RecordKey, { lifetime, index, body }: Content): NewRecord {
  return { ...key, expiresAt: lifetime === null ? null : model.now + lifetime, index, body }
}

const steps = [
  fc.integer({ min: 1, max: 15 }).map((seconds) => step(`wait ${seconds}`, async (model) => { model.now += seconds })),

  fc.tuple(key, content).map(([key, content]) => step(`add ${nameOf(key)} ${JSON.stringify(content)}`, async (model, store) => {
    const record = recordOf(model, key, content)
    const isFree = live(model, key) === null
    if (isFree) model.records.set(nameOf(key), { ...record, version: 1 })
    assert.equal(await store.add(record, model.now), isFree)
  })),

  key.map((key) => step(`get ${nameOf(key)}`, async (model, store) => {
    assert.deepEqual(await store.get(key, model.now), live(model, key))
  })),

  fc.tuple(key, content, fc.integer({ min: -1, max: 0 })).map(([key, content, behind]) => {
    return step(`replace ${nameOf(key)} ${JSON.stringify(content)} ${behind}`, async (model, store) => {
      const held = live(model, key)
      const version = (held?.version ?? 1) + behind
      const record = { ...recordOf(model, key, content), version }
      const succeeds = held !== null && held.version === version
      if (succeeds) model.records.set(nameOf(key), { ...record, version: version + 1 })
      assert.equal(await store.replace(record, model.now), succeeds)
    })
  }),

  key.map((key) => step(`take ${nameOf(key)}`, async (model, store) => {
    const held = live(model, key)
    model.records.delete(nameOf(key))
    assert.deepEqual(await store.take(key, model.now), held)
  })),

  key.map((key) => step(`remove ${nameOf(key)}`, async (model, store) => {
    const held = live(model, key)
    model.records.delete(nameOf(key))
    assert.equal(await store.remove(key, model.now), held !== null)
  })),

  fc.tuple(query, fc.integer({ min: 1, max: 3 })).map(([query, limit]) => {
    return step(`list ${JSON.stringify(query)} by ${limit}`, async (model, store) => {
      const found: StoredRecord[] = []
      let page = await store.list({ ...query, limit }, model.now)
      for (found.push(...page.records); page.cursor !== null; found.push(...page.records)) {
        assert.equal(page.records.length, limit)
        page = await store.list({ ...query, limit, after: page.cursor }, model.now)
      }
      assert.deepEqual(found, find(model, query))
    })
  }),

  query.map((query) => step(`removeWhere ${JSON.stringify(query)}`, async (model, store) => {
    const found = find(model, query)
    for (const record of found) model.records.delete(nameOf(record))
    assert.equal(await store.removeWhere(query, model.now), found.length)
  })),

  fc.tuple(key, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 20 })).map(([key, by, window]) => {
    return step(`increment ${nameOf(key)} by ${by} in ${window}`, async (model, store) => {
      const held = model.counters.get(nameOf(key))
      const isRunning = held !== undefined && held.resetsAt > model.now
      const next = isRunning ? { ...held, count: held.count + by } : { count: by, resetsAt: model.now + window }
      model.counters.set(nameOf(key), next)
      assert.deepEqual({ ...await store.increment(key, { by, window }, model.now) }, next)
    })
  }),

  fc.integer({ min: 1, max: 3 }).map((limit) => step(`prune ${limit}`, async (model, store) => {
    assert.ok(await store.prune(limit, model.now) <= limit)
  }))
]

/** Whatever a sequence of calls is, the store answers what two maps would. */
export async function followsModel (open: () => RecordStore, numRuns: number): Promise<void> {
  await fc.assert(fc.asyncProperty(fc.commands(steps, { maxCommands: 100, size: 'max' }), async (commands) => {
    const store = open()
    const model = { records: new Map(), counters: new Map(), now: 1000 }
    await fc.asyncModelRun(() => ({ model, real: store }), commands)
    await store.close()
  }), { numRuns })
}
