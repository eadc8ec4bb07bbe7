import t from 'tap'
import { resolveLeniencies } from '../../lib/protocol/leniencies.js'

t.test('every leniency is on unless it is named', async (t) => {
  t.strictSame(resolveLeniencies(), { missingResource: true, localhostAnyPort: true, codeRepeat: true })
  t.strictSame(resolveLeniencies({ codeRepeat: false }),
    { missingResource: true, localhostAnyPort: true, codeRepeat: false })
})

t.test('strict switches all of them off, whatever is named', async (t) => {
  t.strictSame(resolveLeniencies({ codeRepeat: true }, true),
    { missingResource: false, localhostAnyPort: false, codeRepeat: false })
})

t.test('a leniency that is undefined is on', async (t) => {
  const { missingResource, ...others } = resolveLeniencies(Object.fromEntries([['missingResource', undefined]]), false)

  t.equal(missingResource, true)
  t.strictSame(others, { localhostAnyPort: true, codeRepeat: true })
})

t.test('the answer cannot be changed', async (t) => {
  t.ok(Object.isFrozen(resolveLeniencies()))
  t.ok(Object.isFrozen(resolveLeniencies({}, true)))
})
