import fc from 'fast-check'
import t from 'tap'
import { createExpiryQueue, isLive, type Expiring } from '../../lib/stores/expiry-queue.js'

interface Entry extends Expiring { readonly name: number }

function newEntry (name: number, expiresAt: number | null): Entry {
  return { name, expiresAt, slot: -1 }
}

t.test('an entry is dead at the second of its expiry and live before it', async (t) => {
  t.equal(isLive({ expiresAt: 60 }, 59), true)
  t.equal(isLive({ expiresAt: 60 }, 60), false)
  t.equal(isLive({ expiresAt: null }, 2 ** 53), true)
})

t.test('the dead come out, oldest first and no more than asked for', async (t) => {
  const queue = createExpiryQueue<Entry>()
  for (const expiresAt of [5, 3, 9, 1, 7]) queue.place(newEntry(expiresAt, expiresAt))
  const forgotten: number[] = []
  const forget = ({ name }: Entry): void => { forgotten.push(name) }

  t.equal(queue.forgetDead({ limit: 2, forget }, 7), 2)
  t.equal(queue.forgetDead({ limit: 9, forget }, 7), 2)
  t.equal(queue.forgetDead({ limit: 9, forget }, 7), 0)
  t.same(forgotten, [1, 3, 5, 7])
})

t.test('removing what is not in it, and removing twice, changes nothing', async (t) => {
  const queue = createExpiryQueue<Entry>()
  const entry = newEntry(1, 1)
  queue.remove(entry)
  queue.place(entry)
  queue.remove(entry)
  queue.remove(entry)

  t.equal(queue.forgetDead({ limit: 1, forget: () => t.fail('it was removed') }, 1), 0)
})

t.test('whatever is placed, changed and removed, exactly the dead come out', async () => {
  const step = fc.record({ name: fc.nat(30), expiresAt: fc.option(fc.nat(50)), isRemoved: fc.boolean() })

  fc.assert(fc.property(fc.array(step, { maxLength: 200 }), fc.nat(50), (steps, now) => {
    const queue = createExpiryQueue<Entry>()
    const entries = new Map<number, Entry>()
    for (const { name, expiresAt, isRemoved } of steps) {
      const entry = entries.get(name) ?? newEntry(name, expiresAt)
      entry.expiresAt = expiresAt
      if (isRemoved) queue.remove(entry)
      else queue.place(entry)
      if (isRemoved) entries.delete(name)
      else entries.set(name, entry)
    }
    const dead = [...entries.values()].filter((entry) => !isLive(entry, now))
    const out: Entry[] = []
    queue.forgetDead({ limit: 1000, forget: (entry) => { out.push(entry) } }, now)

    const times = out.map(({ expiresAt }) => Number(expiresAt))
    const isOrdered = times.every((time, position) => position === 0 || Number(times[position - 1]) <= time)
    return isOrdered && out.length === dead.length && dead.every((entry) => out.includes(entry))
  }))
})
