import t from 'tap'
import { deriveSecrets } from '../../lib/crypto/secrets.js'
import type { SecretPurpose } from '../../types/crypto.js'

const OLD = 'an old secret of more than thirty-two characters'
const NEW = 'a new secret of more than thirty-two characters'
const PURPOSES: readonly SecretPurpose[] = [
  'signing-keys', 'refresh-tokens', 'codes', 'csrf', 'set-up', 'bound-ids', 'handles', 'dpop-nonce'
]

t.test('no secret at all stops the boot', async (t) => {
  t.throws(() => deriveSecrets([]), { code: 'MCPS_ERR_INVALID_OPTION', message: /^secrets must/ })
})

t.test('a secret of 31 characters stops the boot, wherever it stands, and is not quoted', async (t) => {
  const short = 'x'.repeat(31)

  t.throws(() => deriveSecrets([OLD, short]), { code: 'MCPS_ERR_INVALID_OPTION', message: /^secrets\[1\] must (?!.*x{5})/ })
})

t.test('what one instance sealed another with the same secret opens', async (t) => {
  const sealed = deriveSecrets([OLD]).seal('codes', 'grant 1', 'text')

  t.equal(deriveSecrets([OLD]).open('codes', 'grant 1', sealed), 'text')
})

t.test('what was sealed for one purpose is opened for no other', async (t) => {
  const secrets = deriveSecrets([OLD])

  for (const purpose of PURPOSES) {
    const sealed = secrets.seal(purpose, 'a', 'text')
    for (const other of PURPOSES) t.equal(secrets.open(other, 'a', sealed), other === purpose ? 'text' : null)
  }
})

t.test('a tag for one purpose or text holds for no other', async (t) => {
  const secrets = deriveSecrets([OLD])
  const tag = secrets.mac('csrf', 'text')

  t.match(tag, /^[A-Za-z0-9_-]{43}$/)
  for (const purpose of PURPOSES) t.equal(secrets.verifyMac(purpose, 'text', tag), purpose === 'csrf')
  t.equal(secrets.verifyMac('csrf', 'texts', tag), false)
  t.equal(secrets.verifyMac('csrf', 'text', ''), false)
})

t.test('a new secret in front seals, and the old one behind it still opens and verifies', async (t) => {
  const before = deriveSecrets([OLD])
  const rotated = deriveSecrets([NEW, OLD])

  t.equal(rotated.open('codes', 'a', before.seal('codes', 'a', 'text')), 'text')
  t.equal(rotated.verifyMac('csrf', 'text', before.mac('csrf', 'text')), true)
  t.equal(before.open('codes', 'a', rotated.seal('codes', 'a', 'text')), null)
  t.equal(before.verifyMac('csrf', 'text', rotated.mac('csrf', 'text')), false)
})

t.test('a secret that was taken away opens and verifies nothing any more', async (t) => {
  const before = deriveSecrets([OLD])
  const after = deriveSecrets([NEW])

  t.equal(after.open('codes', 'a', before.seal('codes', 'a', 'text')), null)
  t.equal(after.verifyMac('csrf', 'text', before.mac('csrf', 'text')), false)
})
