import t from 'tap'
import { followsModel } from './model.js'
import { memoryStore } from '../../lib/stores/memory.js'
import { storeContract } from '../../lib/testing/store-contract.js'
import type { NewRecord } from '../../types/stores.js'

const NOW = 1_700_000_000

function recordOf (id: string, expiresAt: number | null = null): NewRecord {
  return { tenant: 'tenant', kind: 'kind', id, expiresAt, index: { subject: 'alice' }, body: '{}' }
}

storeContract(t, () => memoryStore())

t.test('whatever is asked of it, it answers what a plain model does', async () => {
  await followsModel(() => memoryStore(), 200)
})

for (const maxRecords of [0, -1, 1.5, NaN]) {
  t.test(`a store for ${maxRecords} records stops the boot`, async (t) => {
    t.throws(() => memoryStore({ maxRecords }), { code: 'MCPS_ERR_INVALID_OPTION', message: /^maxRecords must/ })
  })
}

t.test('a store full of live records refuses a new one and lets none go', async (t) => {
  const store = memoryStore({ maxRecords: 2 })
  for (const id of ['a', 'b']) await store.add(recordOf(id, NOW + 60), NOW)

  await t.rejects(store.add(recordOf('c'), NOW + 59), { code: 'MCPS_ERR_STORE_UNAVAILABLE' })

  for (const id of ['a', 'b']) t.ok(await store.get(recordOf(id), NOW + 59))
  t.equal(await store.get(recordOf('c'), NOW + 59), null)
})

t.test('a full store still answers every verb that needs no room', async (t) => {
  const store = memoryStore({ maxRecords: 1 })
  await store.add(recordOf('a'), NOW)

  t.equal(await store.add(recordOf('a'), NOW), false)
  t.equal(await store.replace({ ...recordOf('a'), version: 1 }, NOW), true)
  t.ok(await store.take(recordOf('a'), NOW))
  t.equal(await store.add(recordOf('b'), NOW), true)
})

t.test('a full store forgets a dead record to make room', async (t) => {
  const store = memoryStore({ maxRecords: 2 })
  await store.add(recordOf('a', NOW + 60), NOW)
  await store.add(recordOf('b'), NOW)

  t.equal(await store.add(recordOf('c'), NOW + 60), true)

  t.equal(await store.prune(10, NOW + 60), 0)
  t.ok(await store.get(recordOf('b'), NOW + 60))
})

t.test('a record in the place of a dead one needs no room', async (t) => {
  const store = memoryStore({ maxRecords: 1 })
  await store.add(recordOf('a', NOW + 60), NOW)

  t.equal(await store.add(recordOf('a'), NOW + 60), true)
  await t.rejects(store.add(recordOf('b'), NOW + 60), { code: 'MCPS_ERR_STORE_UNAVAILABLE' })
})

t.test('records and counters do not take room from each other', async (t) => {
  const store = memoryStore({ maxRecords: 1 })
  await store.increment(recordOf('a'), { by: 1, window: 60 }, NOW)

  t.equal(await store.add(recordOf('a'), NOW), true)
  await t.rejects(store.increment(recordOf('b'), { by: 1, window: 60 }, NOW), { code: 'MCPS_ERR_STORE_UNAVAILABLE' })
})

t.test('pruning forgets exactly the dead, records and counters, up to its limit', async (t) => {
  const store = memoryStore()
  for (const id of ['a', 'b', 'c']) await store.add(recordOf(id, NOW + 60), NOW)
  for (const id of ['a', 'b']) await store.increment(recordOf(id), { by: 1, window: 60 }, NOW)
  await store.add(recordOf('live', NOW + 61), NOW)

  t.equal(await store.prune(2, NOW + 60), 2)
  t.equal(await store.prune(2, NOW + 60), 2)
  t.equal(await store.prune(2, NOW + 60), 1)
  t.ok(await store.get(recordOf('live'), NOW + 60))
})

t.test('closing keeps the records, so that an app may start again with the same store', async (t) => {
  const store = memoryStore()
  await store.add(recordOf('a'), NOW)
  await store.close()

  t.ok(await store.get(recordOf('a'), NOW))
})
