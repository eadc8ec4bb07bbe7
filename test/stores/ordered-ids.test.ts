import fc from 'fast-check'
import t from 'tap'
import { addId, idsAfter, removeId, type OrderedIds } from '../../lib/stores/ordered-ids.js'

function numbered (count: number): string[] {
  return Array.from({ length: count }, (_, position) => String(position).padStart(6, '0'))
}

t.test('whatever is added and removed, the rest is there once and in order', async () => {
  const step = fc.record({ id: fc.string({ minLength: 1, maxLength: 2 }), isAdded: fc.boolean() })

  fc.assert(fc.property(fc.array(step, { maxLength: 300 }), fc.string({ maxLength: 2 }), (steps, after) => {
    const ids: OrderedIds = []
    const model = new Set<string>()
    for (const { id, isAdded } of steps) {
      if (isAdded) addId(ids, id)
      else removeId(ids, id)
      if (isAdded) model.add(id)
      else model.delete(id)
    }
    const expected = [...model].filter((id) => id > after).sort()
    return JSON.stringify([...idsAfter(ids, after)]) === JSON.stringify(expected)
  }))
})

t.test('ten thousand ids in any order stay in order, in blocks of at most 512', async (t) => {
  const all = numbered(10_000)
  const mixed = all.map((_, position) => String(all[(position * 7919) % all.length]))
  for (const order of [all, [...all].reverse(), mixed]) {
    const ids: OrderedIds = []
    for (const id of order) addId(ids, id)

    t.same([...idsAfter(ids)], all)
    t.ok(ids.every((block) => block.length <= 512 && block.length > 0))
  }
})

t.test('what comes after an id is found from the middle, the ends and beyond', async (t) => {
  const ids: OrderedIds = []
  for (const id of numbered(2000)) addId(ids, id)

  t.equal([...idsAfter(ids, '001500')].length, 499)
  t.equal([...idsAfter(ids, '0015')].length, 500)
  t.same([...idsAfter(ids, '001999')], [])
  t.equal([...idsAfter(ids, '')].length, 2000)
})

t.test('when all ids are removed nothing is left', async (t) => {
  const ids: OrderedIds = []
  for (const id of numbered(2000)) addId(ids, id)
  for (const id of numbered(2000).reverse()) removeId(ids, id)
  removeId(ids, 'never there')

  t.same(ids, [])
})

t.test('an id that is added twice is there once, and one that is not there can be removed', async (t) => {
  const ids: OrderedIds = []
  for (const id of ['b', 'a', 'b', 'a']) addId(ids, id)
  removeId(ids, 'aa')
  removeId(ids, 'z')

  t.same([...idsAfter(ids)], ['a', 'b'])
})
