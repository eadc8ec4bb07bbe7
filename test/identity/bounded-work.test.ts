import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { boundWork, TooBusyError } from '../../lib/identity/bounded-work.js'

/** A task that ends when the test says so. */
function openTask () {
  let end = (): void => {}
  const done = new Promise<void>((resolve) => { end = resolve })
  return { run: async () => { await done }, end }
}

t.test('a task answers what it came to', async (t) => {
  const bounded = boundWork({ running: 1, waiting: 0 })

  t.equal(await bounded(async () => 42), 42)
})

t.test('a task that fails fails for its caller and gives its place back', async (t) => {
  const bounded = boundWork({ running: 1, waiting: 0 })

  await t.rejects(bounded(async () => { throw new Error('broken') }), { message: 'broken' })
  t.equal(await bounded(async () => 'next'), 'next')
})

t.test('a task that finds no place waits for one', async (t) => {
  const bounded = boundWork({ running: 1, waiting: 1 })
  const first = openTask()
  const order: string[] = []

  const one = bounded(first.run).then(() => { order.push('first') })
  const two = bounded(async () => { order.push('second begins') })
  await setImmediate()
  t.same(order, [])
  first.end()
  await Promise.all([one, two])

  t.same(new Set(order), new Set(['first', 'second begins']))
})

t.test('a task for which nobody may wait is refused before it begins', async (t) => {
  const bounded = boundWork({ running: 1, waiting: 0 })
  const first = openTask()
  const one = bounded(first.run)
  let begun = false

  await t.rejects(bounded(async () => { begun = true }), { name: 'TooBusyError', code: 'MCPS_ERR_TOO_BUSY', statusCode: 503 })
  t.equal(begun, false)
  t.ok(await bounded(async () => {}).catch((error: unknown) => error) instanceof TooBusyError)
  first.end()
  await one
})

t.test('places are free again after a rush', async (t) => {
  const bounded = boundWork({ running: 2, waiting: 3 })
  const rush = await Promise.allSettled(Array.from({ length: 9 }, () => bounded(async () => { await setImmediate() })))

  t.equal(rush.filter(({ status }) => status === 'fulfilled').length, 5)
  t.equal(await bounded(async () => 'calm'), 'calm')
})

t.test('never more run at once than may, and everybody who may wait gets a turn', async () => {
  const bounds = fc.record({ running: fc.integer({ min: 1, max: 4 }), waiting: fc.integer({ min: 0, max: 6 }) })
  await fc.assert(fc.asyncProperty(bounds, fc.integer({ min: 0, max: 20 }), async ({ running, waiting }, tasks) => {
    const bounded = boundWork({ running, waiting })
    let now = 0
    let most = 0
    const results = await Promise.allSettled(Array.from({ length: tasks }, () => bounded(async () => {
      most = Math.max(most, ++now)
      await setImmediate()
      now -= 1
    })))
    const done = results.filter(({ status }) => status === 'fulfilled').length
    return most <= running && done === Math.min(tasks, running + waiting)
  }), { numRuns: 50 })
})
