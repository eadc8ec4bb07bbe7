import assert from 'node:assert/strict'
import { idsOf, keyOf, KIND, listAll, NOW, recordOf, type Checks } from './scene.js'

const LAST_SECOND = NOW + 59
const DEAD = NOW + 60

export const expiryChecks: Checks = {
  'a record lives in the second before its expiry': async ({ store }) => {
    for (const id of ['get', 'replace', 'take', 'remove']) await store.add(recordOf(id, { expiresAt: DEAD }), NOW)

    assert.equal((await store.get(keyOf('get'), LAST_SECOND))?.expiresAt, DEAD)
    assert.equal((await listAll(store, KIND, LAST_SECOND)).length, 4)
    assert.equal(await store.add(recordOf('get'), LAST_SECOND), false)
    assert.equal(await store.replace({ ...recordOf('replace'), version: 1 }, LAST_SECOND), true)
    assert.equal((await store.take(keyOf('take'), LAST_SECOND))?.id, 'take')
    assert.equal(await store.remove(keyOf('remove'), LAST_SECOND), true)
  },

  'a record is dead at the second of its expiry, for every verb': async ({ store }) => {
    await store.add(recordOf('a', { expiresAt: DEAD, index: { subject: 'alice' } }), NOW)
    const where = { name: 'subject', value: 'alice' }

    assert.equal(await store.get(keyOf('a'), DEAD), null)
    assert.deepEqual(await listAll(store, KIND, DEAD), [])
    assert.deepEqual(await listAll(store, { ...KIND, where }, DEAD), [])
    assert.equal(await store.replace({ ...recordOf('a'), version: 1 }, DEAD), false)
    assert.equal(await store.take(keyOf('a'), DEAD), null)
    assert.equal(await store.remove(keyOf('a'), DEAD), false)
    assert.equal(await store.removeWhere({ ...KIND, where }, DEAD), 0)
  },

  'a record without expiry lives on': async ({ store }) => {
    await store.add(recordOf('a'), NOW)

    assert.notEqual(await store.get(keyOf('a'), NOW + 4_000_000_000), null)
  },

  'add puts a new record in the place of a dead one': async ({ store }) => {
    await store.add(recordOf('a', { expiresAt: DEAD, index: { subject: 'alice' }, body: '1' }), NOW)
    await store.replace({ ...recordOf('a', { expiresAt: DEAD, index: { subject: 'alice' }, body: '2' }), version: 1 }, NOW)

    assert.equal(await store.add(recordOf('a', { index: { subject: 'bob' }, body: '3' }), DEAD), true)

    assert.deepEqual({ ...await store.get(keyOf('a'), DEAD) }, { ...recordOf('a', { index: { subject: 'bob' }, body: '3' }), version: 1 })
    assert.deepEqual(await listAll(store, { ...KIND, where: { name: 'subject', value: 'alice' } }, DEAD), [])
    assert.deepEqual(idsOf(await listAll(store, { ...KIND, where: { name: 'subject', value: 'bob' } }, DEAD)), ['a'])
  },

  'replace prolongs, shortens and lifts the expiry': async ({ store }) => {
    for (const id of ['longer', 'shorter', 'lifted']) await store.add(recordOf(id, { expiresAt: DEAD }), NOW)
    await store.replace({ ...recordOf('longer', { expiresAt: DEAD + 60 }), version: 1 }, NOW)
    await store.replace({ ...recordOf('shorter', { expiresAt: NOW + 1 }), version: 1 }, NOW)
    await store.replace({ ...recordOf('lifted'), version: 1 }, NOW)

    assert.equal(await store.get(keyOf('shorter'), NOW + 1), null)
    assert.notEqual(await store.get(keyOf('longer'), DEAD + 59), null)
    assert.equal(await store.get(keyOf('longer'), DEAD + 60), null)
    assert.notEqual(await store.get(keyOf('lifted'), DEAD + 60), null)
  },

  'a record that is dead when it is added is held by nobody': async ({ store }) => {
    assert.equal(await store.add(recordOf('a', { expiresAt: NOW }), NOW), true)

    assert.equal(await store.get(keyOf('a'), NOW), null)
    assert.equal(await store.add(recordOf('a'), NOW), true)
  },

  'pruning ends, and forgets what is dead but nothing else': async ({ store }) => {
    for (let id = 0; id < 5; id++) await store.add(recordOf(`dead ${id}`, { expiresAt: DEAD }), NOW)
    for (let id = 0; id < 2; id++) await store.increment(keyOf(`dead ${id}`), { by: 7, window: 60 }, NOW)
    for (const expiresAt of [null, DEAD + 1]) await store.add(recordOf(`live ${expiresAt}`, { expiresAt }), NOW)
    await store.increment(keyOf('live'), { by: 7, window: 61 }, NOW)

    // An engine may forget by itself what is dead, so there may be less than seven left to forget.
    const forgotten: number[] = []
    while (forgotten.at(-1) !== 0 && forgotten.length < 8) forgotten.push(await store.prune(3, DEAD))

    assert.ok(forgotten.every((count) => count <= 3) && forgotten.reduce((a, b) => a + b, 0) <= 7, String(forgotten))
    assert.equal(forgotten.at(-1), 0)
    assert.equal((await listAll(store, KIND, DEAD)).length, 2)
    assert.equal((await store.increment(keyOf('live'), { by: 1, window: 60 }, DEAD)).count, 8)
  },

  'pruning before anything is dead forgets nothing': async ({ store }) => {
    await store.add(recordOf('a', { expiresAt: DEAD }), NOW)
    await store.increment(keyOf('a'), { by: 1, window: 60 }, NOW)

    assert.equal(await store.prune(10, LAST_SECOND), 0)

    assert.notEqual(await store.get(keyOf('a'), LAST_SECOND), null)
    assert.equal((await store.increment(keyOf('a'), { by: 1, window: 60 }, LAST_SECOND)).count, 2)
  },

  'a prune without a whole positive limit is refused': async ({ store }) => {
    for (const limit of [0, -1, 1.5, NaN]) await assert.rejects(store.prune(limit, NOW), RangeError)
  }
}
