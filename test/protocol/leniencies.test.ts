import t from 'tap'
import { resolveLeniencies } from '../../lib/protocol/leniencies.js'

const ON = {
  missingResource: true, localhostAnyPort: true, codeRepeat: true, assertionAudience: true, assertionReuse: true
}

t.test('every leniency is on unless it is named', async (t) => {
  t.strictSame(resolveLeniencies(), ON)
  t.strictSame(resolveLeniencies({ codeRepeat: false }), { ...ON, codeRepeat: false })
})

t.test('strict switches all of them off, whatever is named', async (t) => {
  t.strictSame(resolveLeniencies({ codeRepeat: true }, true),
    Object.fromEntries(Object.keys(ON).map((name) => [name, false])))
})

t.test('a leniency that is undefined is on', async (t) => {
  t.strictSame(resolveLeniencies(Object.fromEntries([['missingResource', undefined]]), false), ON)
})

t.test('the answer cannot be changed', async (t) => {
  t.ok(Object.isFrozen(resolveLeniencies()))
  t.ok(Object.isFrozen(resolveLeniencies({}, true)))
})
