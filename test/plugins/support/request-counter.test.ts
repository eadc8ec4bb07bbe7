import fc from 'fast-check'
import t from 'tap'
import { requestCounter } from '../../../lib/plugins/support/request-counter.js'

t.test('requests up to the limit go on, and the next one waits for the end of the window', async (t) => {
  const count = requestCounter({ max: 2, window: 60 })

  t.equal(count('a', 1000), 0)
  t.equal(count('a', 1010), 0)
  t.equal(count('a', 1020), 40)
  t.equal(count('a', 1059), 1)
})

t.test('a new window starts with the first request after the old one', async (t) => {
  const count = requestCounter({ max: 1, window: 60 })
  count('a', 1000)

  t.equal(count('a', 1060), 0)
  t.equal(count('a', 1061), 59)
})

t.test('keys are counted apart', async (t) => {
  const count = requestCounter({ max: 1, window: 60 })
  count('a', 1000)

  t.equal(count('b', 1000), 0)
})

t.test('a clock that is set back locks nobody out for longer than a window', async (t) => {
  const count = requestCounter({ max: 1, window: 60 })
  count('a', 1_000_000)

  t.equal(count('a', 1000), 0)
  t.equal(count('a', 1000), 60)
})

t.test('when there is no room for another key, the window that ends first is forgotten', async (t) => {
  const count = requestCounter({ max: 1, window: 60 }, 2)
  count('a', 1000)
  count('b', 1001)
  count('c', 1002)

  t.ok(count('c', 1003) > 0)
  t.ok(count('b', 1003) > 0)
  t.equal(count('a', 1003), 0)
})

t.test('windows that are over make room first', async (t) => {
  const count = requestCounter({ max: 1, window: 60 }, 2)
  count('a', 1000)
  count('b', 1050)
  count('c', 1061)

  t.ok(count('b', 1062) > 0)
})

t.test('of any requests in a window exactly the first `max` go on', async () => {
  const requests = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), wait: fc.nat(20) }), { maxLength: 200 })
  const limit = [fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 30 })] as const
  fc.assert(fc.property(requests, ...limit, (list, max, window) => {
    const count = requestCounter({ max, window })
    const model = new Map<string, { start: number, count: number }>()
    let now = 1000
    return list.every(({ key, wait }) => {
      now += wait
      const held = model.get(key)
      const live = held !== undefined && now < held.start + window ? held : { start: now, count: 0 }
      live.count += 1
      model.set(key, live)
      return count(key, now) === (live.count > max ? live.start + window - now : 0)
    })
  }))
})
