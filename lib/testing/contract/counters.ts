import assert from 'node:assert/strict'
import { keyOf, KIND, listAll, NOW, recordOf, type Checks } from './scene.js'

export const counterChecks: Checks = {
  'a counter adds up until its window is over, and starts again at that second': async ({ store }) => {
    const count = (by: number, now: number) => store.increment(keyOf('a'), { by, window: 60 }, now)

    assert.deepEqual({ ...await count(1, NOW) }, { count: 1, resetsAt: NOW + 60 })
    assert.deepEqual({ ...await count(3, NOW + 30) }, { count: 4, resetsAt: NOW + 60 })
    assert.deepEqual({ ...await count(1, NOW + 59) }, { count: 5, resetsAt: NOW + 60 })
    assert.deepEqual({ ...await count(2, NOW + 60) }, { count: 2, resetsAt: NOW + 120 })
    assert.deepEqual({ ...await count(1, NOW + 500) }, { count: 1, resetsAt: NOW + 560 })
  },

  'a running window is not changed by one who counts with another': async ({ store }) => {
    await store.increment(keyOf('a'), { by: 1, window: 60 }, NOW)

    const counted = await store.increment(keyOf('a'), { by: 1, window: 3600 }, NOW)

    assert.deepEqual({ ...counted }, { count: 2, resetsAt: NOW + 60 })
  },

  'counters of other tenants, kinds and ids are other counters': async ({ store }) => {
    const keys = [keyOf('a'), keyOf('A'), { ...keyOf('a'), tenant: 'other' }, { ...keyOf('a'), kind: 'other' }]

    for (const key of keys) assert.equal((await store.increment(key, { by: 1, window: 60 }, NOW)).count, 1)
  },

  'a counter and a record of the same key do not meet': async ({ store }) => {
    await store.increment(keyOf('a'), { by: 5, window: 60 }, NOW)
    assert.equal(await store.get(keyOf('a'), NOW), null)
    assert.deepEqual(await listAll(store, KIND), [])
    assert.equal(await store.add(recordOf('a'), NOW), true)
    await store.increment(keyOf('a'), { by: 1, window: 60 }, NOW)
    assert.deepEqual({ ...await store.get(keyOf('a'), NOW) }, { ...recordOf('a'), version: 1 })

    await store.remove(keyOf('a'), NOW)
    await store.removeWhere(KIND, NOW)

    assert.equal((await store.increment(keyOf('a'), { by: 1, window: 60 }, NOW)).count, 7)
  },

  'counting by less than one or over no time is refused': async ({ store }) => {
    for (const bad of [0, -1, 1.5, NaN]) {
      await assert.rejects(store.increment(keyOf('a'), { by: bad, window: 60 }, NOW), RangeError)
      await assert.rejects(store.increment(keyOf('a'), { by: 1, window: bad }, NOW), RangeError)
    }
  }
}
