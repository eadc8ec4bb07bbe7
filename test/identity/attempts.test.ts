import fc from 'fast-check'
import t from 'tap'
import { createAttempts, type Attempt } from '../../lib/identity/attempts.js'
import { memoryStore } from '../../lib/stores/memory.js'
import type { RecordStore } from '../../types/stores.js'

const now = 1_700_000_000
const ada = { name: 'ada', network: '203.0.113.9' }
const DAY = 86_400

function open (limit = { max: 3, window: 900 }, records: RecordStore = memoryStore()) {
  const attempts = createAttempts({ records, tenant: 'default', limit })
  const fail = async (attempt: Attempt, times: number, at = now) => {
    for (let index = 0; index < times; index++) await attempts.begin(attempt, at)
  }
  return { records, attempts, fail }
}

t.test('as many attempts as allowed may be made, the next one has to wait', async (t) => {
  const { attempts } = open()

  for (let index = 0; index < 3; index++) t.equal(await attempts.begin(ada, now + index), null)
  t.equal(await attempts.begin(ada, now + 3), 899)
  t.equal(await attempts.begin(ada, now + 901), 1)
})

t.test('after the wait one attempt may be made, and then the wait is twice as long', async (t) => {
  const { attempts, fail } = open()
  await fail(ada, 3)

  t.equal(await attempts.begin(ada, now + 900), null)
  t.equal(await attempts.begin(ada, now + 900), 1800)
  t.equal(await attempts.begin(ada, now + 900 + 1800), null)
  t.equal(await attempts.begin(ada, now + 900 + 1800), 3600)
})

t.test('nobody has to wait for more than a day', async (t) => {
  const { attempts, fail } = open()
  await fail(ada, 3)
  let at = now
  for (let index = 0; index < 40; index++) at += await attempts.begin(ada, at) ?? 0

  t.equal(await attempts.begin(ada, at), DAY)
})

t.test('a window of more than a day is waited for in full', async (t) => {
  const { attempts, fail } = open({ max: 1, window: 2 * DAY })
  await fail(ada, 1)

  t.equal(await attempts.begin(ada, now), 2 * DAY)
})

t.test('attempts that were refused do not make the wait longer', async (t) => {
  const { attempts, fail } = open()
  await fail(ada, 30)

  t.equal(await attempts.begin(ada, now + 899), 1)
})

t.test('failures from longer ago than the window are forgotten', async (t) => {
  const { attempts, fail } = open()
  await fail(ada, 2)

  for (let index = 0; index < 3; index++) t.equal(await attempts.begin(ada, now + 900), null)
  t.equal(await attempts.begin(ada, now + 900), 900)
})

t.test('a success forgets the failures before it', async (t) => {
  const { attempts, fail } = open()

  for (let round = 0; round < 5; round++) {
    await fail(ada, 2)
    t.equal(await attempts.begin(ada, now), null)
    await attempts.succeed(ada, now)
  }
})

t.test('an attempt that could not be made does not count, and the ones before it still do', async (t) => {
  const { attempts, fail } = open()
  await fail(ada, 2)
  for (let index = 0; index < 20; index++) {
    t.equal(await attempts.begin(ada, now), null)
    await attempts.withdraw(ada, now)
  }

  t.equal(await attempts.begin(ada, now), null)
  t.equal(await attempts.begin(ada, now), 900)
})

t.test('an attempt that could not be made after a long wait may be made at once', async (t) => {
  const { attempts, fail } = open()
  await fail(ada, 3)
  t.equal(await attempts.begin(ada, now + 900), null)
  await attempts.withdraw(ada, now + 900)

  t.equal(await attempts.begin(ada, now + 900), null)
  t.equal(await attempts.begin(ada, now + 900), 1800)
})

t.test('taking back what nobody began changes nothing', async (t) => {
  const { attempts, fail } = open()
  await attempts.withdraw(ada, now)
  await fail(ada, 3)

  t.equal(await attempts.begin(ada, now), 900)
})

t.test('a store on which everybody else is faster makes taking back give up, not hang', async (t) => {
  const { attempts, fail } = open(undefined, { ...memoryStore(), replace: async () => false })
  await fail(ada, 1)

  await t.resolves(attempts.withdraw(ada, now))
})

t.test('an attacker locks nobody out who signs in from another network', async (t) => {
  const { attempts, fail } = open()
  await fail(ada, 500)

  t.equal(await attempts.begin({ ...ada, network: '198.51.100.7' }, now), null)
})

t.test('a success of another account forgets nothing', async (t) => {
  const { attempts, fail } = open()
  await fail(ada, 3)
  await attempts.begin({ ...ada, name: 'mallory' }, now)
  await attempts.succeed({ ...ada, name: 'mallory' }, now)

  t.equal(await attempts.begin(ada, now), 900)
})

t.test('a name in capitals does not begin again from nothing', async (t) => {
  const { attempts, fail } = open()
  await fail(ada, 3)

  t.equal(await attempts.begin({ ...ada, name: ' ADA ' }, now), 900)
})

t.test('whoever tries many names has to wait, also with names that cannot be', async (t) => {
  const { attempts } = open()
  for (let index = 0; index < 60; index++) {
    t.equal(await attempts.begin({ ...ada, name: index % 20 === 0 ? '<>' : `user${index}` }, now), null)
  }

  t.equal(await attempts.begin({ ...ada, name: 'one-more' }, now + 10), 890)
  t.equal(await attempts.begin({ ...ada, name: 'one-more' }, now + 900), null)
})

t.test('fifty attempts at once are counted like fifty in a row', async (t) => {
  const { attempts } = open()

  const waits = await Promise.all(Array.from({ length: 50 }, () => attempts.begin(ada, now)))

  t.ok(waits.filter((wait) => wait === null).length <= 3)
  t.ok(waits.some((wait) => wait === null))
})

t.test('an attempt that never gets its turn has to wait a second', async (t) => {
  const { attempts } = open(undefined, { ...memoryStore(), add: async () => false })

  t.equal(await attempts.begin(ada, now), 1)
})

t.test('the store holds neither names nor addresses', async (t) => {
  const { records, fail } = open()
  await fail(ada, 2)

  const held = JSON.stringify(await records.list({ tenant: 'default', kind: 'sign-in-failures', limit: 10 }, now))

  t.match(held, /failures/)
  t.notMatch(held, /ada|203\.0/)
})

t.test('within any stretch of time no more is tried than the limit says', async () => {
  const steps = fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 60 })
  await fc.assert(fc.asyncProperty(steps, async (gaps) => {
    const { attempts } = open({ max: 3, window: 100 })
    let at = now
    const tried: number[] = []
    for (const gap of gaps) {
      at += gap
      if (await attempts.begin(ada, at) === null) tried.push(at)
    }
    // Two full windows may touch: never more than twice the limit in one.
    return tried.every((from) => tried.filter((other) => other >= from && other < from + 100).length <= 6)
  }), { numRuns: 60 })
})
