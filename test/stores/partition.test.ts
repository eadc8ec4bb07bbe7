import t from 'tap'
import { addEntry, changeIndex, createPartition, entriesOf, removeEntry, type Entry, type Partition } from '../../lib/stores/partition.js'

function newEntry (partition: Partition, id: string, index: Record<string, string> = {}): Entry {
  return { partition, id, index, version: 1, body: '{}', expiresAt: null, slot: -1 }
}

function find (partition: Partition, name: string, value: string, after?: string): string[] {
  return [...entriesOf(partition, { name, value }, after)].map(({ id }) => id)
}

t.test('entries are found in the order of their ids, whatever the order they came in', async (t) => {
  const partition = createPartition('tenant', 'kind')
  for (const id of ['b', 'c', 'a']) addEntry(newEntry(partition, id))

  t.same([...entriesOf(partition, undefined)].map(({ id }) => id), ['a', 'b', 'c'])
  t.same([...entriesOf(partition, undefined, 'a')].map(({ id }) => id), ['b', 'c'])
})

t.test('an index value finds none, one and many entries', async (t) => {
  const partition = createPartition('tenant', 'kind')
  t.same(find(partition, 'subject', 'alice'), [])
  for (const [id, expected] of Object.entries({ b: ['b'], a: ['a', 'b'], d: ['a', 'b', 'd'], c: ['a', 'b', 'c', 'd'] })) {
    addEntry(newEntry(partition, id, { subject: 'alice' }))
    t.same(find(partition, 'subject', 'alice'), expected)
  }

  t.same(find(partition, 'subject', 'alice', 'b'), ['c', 'd'])
  t.same(find(partition, 'subject', 'bob'), [])
})

t.test('two entries with one value are in order whichever came first', async (t) => {
  for (const order of [['a', 'b'], ['b', 'a']]) {
    const partition = createPartition('tenant', 'kind')
    for (const id of order) addEntry(newEntry(partition, id, { subject: 'alice' }))
    t.same(find(partition, 'subject', 'alice'), ['a', 'b'])
  }
})

t.test('the only entry with a value is not found after itself', async (t) => {
  const partition = createPartition('tenant', 'kind')
  addEntry(newEntry(partition, 'a', { subject: 'alice' }))

  t.same(find(partition, 'subject', 'alice', 'a'), [])
})

t.test('an index that changes leaves nothing of the old one', async (t) => {
  const partition = createPartition('tenant', 'kind')
  const entry = newEntry(partition, 'a', { subject: 'alice', client: 'c' })
  addEntry(entry)
  addEntry(newEntry(partition, 'b', { subject: 'alice' }))

  changeIndex(entry, { subject: 'bob' })

  t.same(find(partition, 'subject', 'alice'), ['b'])
  t.same(find(partition, 'subject', 'bob'), ['a'])
  t.notOk(partition.buckets.has('client'))
})

t.test('nothing is left of entries that were removed', async (t) => {
  const partition = createPartition('tenant', 'kind')
  const entries = ['a', 'b', 'c'].map((id) => newEntry(partition, id, { subject: 'alice', own: id }))
  entries.forEach(addEntry)
  entries.forEach(removeEntry)

  t.equal(partition.entries.size, 0)
  t.equal(partition.buckets.size, 0)
  t.same(partition.ids, [])
})

t.test('another index that says the same leaves the entry with its own', async (t) => {
  const partition = createPartition('tenant', 'kind')
  const entry = newEntry(partition, 'a', { subject: 'alice', client: 'c' })
  const { index } = entry
  addEntry(entry)

  changeIndex(entry, { client: 'c', subject: 'alice' })

  t.equal(entry.index, index)
})

t.test('an index with a name less, a name more, or another value is found by what it says now', async (t) => {
  const indexes: Array<Record<string, string>> = [{ subject: 'alice' }, { subject: 'alice', client: 'c' }, { subject: 'bob', client: 'c' }]
  const partition = createPartition('tenant', 'kind')
  const entry = newEntry(partition, 'a', { subject: 'alice', client: 'x' })
  addEntry(entry)

  for (const { subject, client } of indexes) {
    changeIndex(entry, { ...(subject === undefined ? {} : { subject }), ...(client === undefined ? {} : { client }) })
    t.same(find(partition, 'subject', subject ?? ''), ['a'])
    t.same(find(partition, 'client', 'c'), client === 'c' ? ['a'] : [])
    t.same(find(partition, 'client', 'x'), [])
  }
})
