import t from 'tap'
import { createLeniencyUses } from '../../lib/oauth/leniency-uses.js'
import { LENIENCY_NAMES } from '../../lib/protocol/leniencies.js'

t.test('each use of a leniency is counted under its name, and those that nobody used are there with 0', async (t) => {
  const uses = createLeniencyUses()
  uses.add('codeRepeat')
  uses.add('codeRepeat')
  uses.add('missingResource')

  const none = Object.fromEntries(LENIENCY_NAMES.map((name) => [name, 0]))
  t.same(uses.counts(), { ...none, codeRepeat: 2, missingResource: 1 })
  t.same(createLeniencyUses().counts(), none)
})

t.test('a name that is no leniency counts nothing', async (t) => {
  const uses = createLeniencyUses()
  const before = uses.counts()
  for (const name of ['', 'authorization_code', '__proto__', 'constructor', 'toString']) uses.add(name)

  t.strictSame(uses.counts(), before)
  t.ok(Object.isFrozen(before))
})
