import t from 'tap'
import { randomId } from '../../lib/crypto/digest.js'
import { openUnder, sealUnder } from '../../lib/crypto/token-seal.js'

t.test('the bearer of the token opens what was sealed under it', async (t) => {
  const token = randomId(32)

  t.equal(openUnder(token, 'refresh-answer', sealUnder(token, 'refresh-answer', '{"a":1}')), '{"a":1}')
})

t.test('another token, its digest or another purpose opens nothing', async (t) => {
  const token = randomId(32)
  const sealed = sealUnder(token, 'refresh-answer', 'text')

  t.equal(openUnder(randomId(32), 'refresh-answer', sealed), null)
  t.equal(openUnder(token, 'code-answer', sealed), null)
  t.equal(openUnder(token, 'refresh-answer', `${sealed}A`), null)
})

t.test('the sealed text shows neither the token nor the plaintext', async (t) => {
  const token = randomId(32)
  const sealed = sealUnder(token, 'refresh-answer', 'plaintext')

  t.notMatch(Buffer.from(sealed, 'base64url').toString('latin1'), /plaintext/)
  t.notOk(sealed.includes(token))
})
