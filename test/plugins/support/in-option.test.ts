import t from 'tap'
import { inOption } from '../../../lib/plugins/support/in-option.js'

t.test('a rule that holds answers what it answers', async (t) => {
  t.equal(inOption('issuer ', () => 7), 7)
})

t.test('a rule that does not hold is a wrong option', async (t) => {
  t.throws(() => inOption('issuer ', () => { throw new TypeError('must be an https URL') }),
    { code: 'MCPS_ERR_INVALID_OPTION', message: 'issuer must be an https URL' })
})

t.test('a mistake of the rule itself stays one', async (t) => {
  const mistake = new RangeError('boom')
  t.throws(() => inOption('issuer ', () => { throw mistake }), mistake)
})
