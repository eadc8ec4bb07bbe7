import t from 'tap'
import { headerLines } from '../../lib/protocol/header-lines.js'

t.test('every line of the header is found, in order, whatever the case of its name', async (t) => {
  t.strictSame(headerLines(['DPoP', 'a', 'Accept', 'dpop', 'dpop', 'b,c', 'DPOP', ''], 'dpop'), ['a', 'b,c', ''])
})

t.test('values are not taken for names', async (t) => {
  t.strictSame(headerLines(['x-note', 'dpop', 'accept', 'x'], 'dpop'), [])
  t.strictSame(headerLines(['dpop'], 'dpop'), [])
})
