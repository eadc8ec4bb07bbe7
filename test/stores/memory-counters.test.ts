import t from 'tap'
import { createMemoryCounters } from '../../lib/stores/memory-counters.js'

const NOW = 1_700_000_000
const keyOf = (id: string) => ({ tenant: 'tenant', kind: 'kind', id })
const once = { by: 1, window: 60 }

t.test('when all counters are live a new one is refused and the others go on', async (t) => {
  const counters = createMemoryCounters(2)
  for (const id of ['a', 'b']) await counters.increment(keyOf(id), once, NOW)

  await t.rejects(counters.increment(keyOf('c'), once, NOW), { code: 'MCPS_ERR_STORE_UNAVAILABLE' })
  t.equal((await counters.increment(keyOf('a'), once, NOW)).count, 2)
  t.equal((await counters.increment(keyOf('b'), once, NOW + 59)).count, 2)
})

t.test('a counter whose window is over makes room for a new one', async (t) => {
  const counters = createMemoryCounters(2)
  await counters.increment(keyOf('a'), { by: 1, window: 60 }, NOW)
  await counters.increment(keyOf('b'), { by: 1, window: 90 }, NOW)

  t.equal((await counters.increment(keyOf('c'), once, NOW + 60)).count, 1)
  t.equal((await counters.increment(keyOf('b'), once, NOW + 60)).count, 2)
})

t.test('a counter that starts again in a full store needs no room', async (t) => {
  const counters = createMemoryCounters(1)
  await counters.increment(keyOf('a'), once, NOW)

  t.same(await counters.increment(keyOf('a'), once, NOW + 60), { count: 1, resetsAt: NOW + 120 })
})

t.test('the dead are forgotten up to the limit', async (t) => {
  const counters = createMemoryCounters(10)
  for (const id of ['a', 'b', 'c']) await counters.increment(keyOf(id), once, NOW)

  t.equal(counters.forgetDead(2, NOW + 59), 0)
  t.equal(counters.forgetDead(2, NOW + 60), 2)
  t.equal(counters.forgetDead(2, NOW + 60), 1)
})

t.test('a refused increment leaves nothing behind', async (t) => {
  const counters = createMemoryCounters(1)
  for (const input of [{ by: 0, window: 60 }, { by: 1, window: 0 }]) {
    await t.rejects(counters.increment(keyOf('a'), input, NOW), RangeError)
  }
  await t.rejects(counters.increment(keyOf(''), once, NOW), TypeError)

  t.equal((await counters.increment(keyOf('b'), once, NOW)).count, 1)
})
