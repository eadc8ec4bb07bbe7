import assert from 'node:assert/strict'
import { keyOf, KIND, listAll, NOW, recordOf, type Checks } from './scene.js'

const CALLERS = 20

export const raceChecks: Checks = {
  'of many that add the same record one succeeds, and its record is the one held': async ({ store, race }) => {
    const added = await race(CALLERS, (one, caller) => one.add(recordOf('a', { body: String(caller) }), NOW))

    assert.equal(added.filter(Boolean).length, 1)
    assert.equal((await store.get(keyOf('a'), NOW))?.body, String(added.indexOf(true)))
  },

  'of many that add over the same dead record one succeeds': async ({ store, race }) => {
    await store.add(recordOf('a', { expiresAt: NOW + 1, body: '"dead"' }), NOW)

    const added = await race(CALLERS, (one, caller) => one.add(recordOf('a', { body: String(caller) }), NOW + 1))

    assert.equal(added.filter(Boolean).length, 1)
    assert.equal((await store.get(keyOf('a'), NOW + 1))?.body, String(added.indexOf(true)))
  },

  'of many that take the same record one gets it': async ({ store, race }) => {
    await store.add(recordOf('a'), NOW)

    const taken = await race(CALLERS, (one) => one.take(keyOf('a'), NOW))

    assert.equal(taken.filter((record) => record !== null).length, 1)
  },

  'of many that remove the same record one is told that it did': async ({ store, race }) => {
    await store.add(recordOf('a'), NOW)

    const removed = await race(CALLERS, (one) => one.remove(keyOf('a'), NOW))

    assert.equal(removed.filter(Boolean).length, 1)
  },

  'of many that replace the same version one succeeds, and its record is the one held': async ({ store, race }) => {
    await store.add(recordOf('a'), NOW)

    const replaced = await race(CALLERS, (one, caller) => {
      return one.replace({ ...recordOf('a', { body: String(caller) }), version: 1 }, NOW)
    })

    assert.equal(replaced.filter(Boolean).length, 1)
    const held = await store.get(keyOf('a'), NOW)
    assert.deepEqual([held?.body, held?.version], [String(replaced.indexOf(true)), 2])
  },

  'no change is lost when many read and replace until they succeed': async ({ store, race }) => {
    await store.add(recordOf('a', { body: '0' }), NOW)

    await race(CALLERS, async (one) => {
      for (let attempt = 0; attempt < 10 * CALLERS; attempt++) {
        const held = await one.get(keyOf('a'), NOW)
        assert.ok(held !== null)
        if (await one.replace({ ...held, body: String(Number(held.body) + 1) }, NOW)) return
      }
      assert.fail('never succeeded')
    })

    const held = await store.get(keyOf('a'), NOW)
    assert.deepEqual([held?.body, held?.version], [String(CALLERS), CALLERS + 1])
  },

  'a record that is taken while it is replaced is gone, and what was taken has the change or it failed': async ({ store, race }) => {
    for (let round = 0; round < CALLERS; round++) {
      await store.add(recordOf('a', { body: '"old"' }), NOW)

      const [taken, replaced] = await race(2, async (one, caller) => caller === 0
        ? (await one.take(keyOf('a'), NOW))?.body
        : String(await one.replace({ ...recordOf('a', { body: '"new"' }), version: 1 }, NOW)))

      assert.equal(taken, replaced === 'true' ? '"new"' : '"old"')
      assert.equal(await store.get(keyOf('a'), NOW), null)
    }
  },

  'what many take and remove by query at once is told to one of them': async ({ store, race }) => {
    for (let id = 0; id < 10; id++) await store.add(recordOf(String(id), { index: { subject: 'alice' } }), NOW)

    const counts = await race(CALLERS, async (one, caller) => caller < 10
      ? Number(await one.remove(keyOf(String(caller)), NOW))
      : one.removeWhere({ ...KIND, where: { name: 'subject', value: 'alice' } }, NOW))

    assert.equal(counts.reduce((sum, count) => sum + count, 0), 10)
    assert.deepEqual(await listAll(store, KIND), [])
  },

  'many that count at once get every number once': async ({ race }) => {
    const counted = await race(CALLERS, (one) => one.increment(keyOf('a'), { by: 1, window: 60 }, NOW))

    const counts = counted.map(({ count }) => count).sort((a, b) => a - b)
    assert.deepEqual(counts, Array.from({ length: CALLERS }, (_, position) => position + 1))
    assert.deepEqual([...new Set(counted.map(({ resetsAt }) => resetsAt))], [NOW + 60])
  }
}
