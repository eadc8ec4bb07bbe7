import t from 'tap'
import { createDpopNonces } from '../../lib/crypto/dpop-nonce.js'
import { deriveSecrets } from '../../lib/crypto/secrets.js'

const OLD = 'an old secret of more than thirty-two characters'
const NEW = 'a new secret of more than thirty-two characters'
// The first second of a window.
const START = 1_699_999_920
const nonces = createDpopNonces(deriveSecrets([OLD]))

t.test('a nonce stays for a window, and is good for another', async (t) => {
  const nonce = nonces.current(START)

  t.equal(nonces.current(START + 119), nonce)
  t.not(nonces.current(START + 120), nonce)
  for (const later of [0, 119, 120, 239]) t.ok(nonces.isGood(nonce, START + later), String(later))
  for (const later of [240, 100_000]) t.notOk(nonces.isGood(nonce, START + later), String(later))
})

t.test('one of an instance whose clock is ahead is good, of a far future it is not', async (t) => {
  t.ok(nonces.isGood(nonces.current(START + 120), START))
  t.notOk(nonces.isGood(nonces.current(START + 240), START))
})

t.test('it fits into a header and a claim', async (t) => {
  t.match(nonces.current(START), /^[0-9a-z]{1,10}\.[A-Za-z0-9_-]{43}$/)
})

t.test('every instance with the same secrets takes it, also while secrets are rotated', async (t) => {
  const rotated = createDpopNonces(deriveSecrets([NEW, OLD]))

  t.equal(createDpopNonces(deriveSecrets([OLD])).current(START), nonces.current(START))
  t.ok(rotated.isGood(nonces.current(START), START))
  t.notOk(nonces.isGood(rotated.current(START), START))
})

t.test('nothing else is one', async (t) => {
  const nonce = nonces.current(START)
  const [name = '', tag = ''] = nonce.split('.')
  const next = nonces.current(START + 120).split('.')[0]
  for (const other of [
    '', '.', name, tag, `${next}.${tag}`, `0${nonce}`, `${nonce}.`, nonce.toUpperCase(), `${nonce}x`, `x${nonce}`,
    `zzzzzzzzzz.${tag}`, createDpopNonces(deriveSecrets([NEW])).current(START)
  ]) t.notOk(nonces.isGood(other, START), other)
})
