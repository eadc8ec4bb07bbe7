import t from 'tap'
import { LENIENCY_NAMES, resolveLeniencies } from '../../lib/protocol/leniencies.js'

const all = (value: boolean) => Object.fromEntries(LENIENCY_NAMES.map((name) => [name, value]))

t.test('every leniency is on unless it is named', async (t) => {
  t.same(resolveLeniencies(), all(true))
  for (const name of LENIENCY_NAMES) t.same(resolveLeniencies({ [name]: false }), { ...all(true), [name]: false })
})

t.test('strict switches all of them off, whatever is named', async (t) => {
  t.same(resolveLeniencies(all(true), true), all(false))
})

t.test('a leniency that is undefined is on', async (t) => {
  t.same(resolveLeniencies(Object.fromEntries([['missingResource', undefined]]), false), all(true))
})

t.test('the answer cannot be changed', async (t) => {
  t.ok(Object.isFrozen(resolveLeniencies()))
  t.ok(Object.isFrozen(resolveLeniencies({}, true)))
})
