import fc from 'fast-check'
import t from 'tap'
import { randomId, secretsEqual, sha256 } from '../../lib/crypto/digest.js'

const anyText = fc.uint16Array({ maxLength: 50 }).map((units) => String.fromCharCode(...units))

t.test('a digest is the SHA-256 of FIPS 180-4, in base64url', async (t) => {
  t.equal(sha256('abc'), 'ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0')
  t.equal(sha256(''), '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU')
})

t.test('secrets are equal exactly when they are the same text', async () => {
  fc.assert(fc.property(anyText, anyText, (a, b) => {
    return secretsEqual(a, b) === (a === b) && secretsEqual(a, a)
  }))
})

t.test('secrets of different lengths are compared without throwing', async (t) => {
  t.equal(secretsEqual('a', 'aa'), false)
  t.equal(secretsEqual('', 'a'), false)
  t.equal(secretsEqual('', ''), true)
})

t.test('two texts that only UTF-8 confuses are different secrets', async (t) => {
  t.equal(sha256('\ud800'), sha256('\udfff'))

  t.equal(secretsEqual('\ud800', '\udfff'), false)
})

t.test('a random id has 16 bytes unless told otherwise, and only unreserved characters', async (t) => {
  t.match(randomId(), /^[A-Za-z0-9_-]{22}$/)
  t.match(randomId(32), /^[A-Za-z0-9_-]{43}$/)
})

t.test('no two of a thousand random ids are the same', async (t) => {
  t.equal(new Set(Array.from({ length: 1000 }, () => randomId())).size, 1000)
})
