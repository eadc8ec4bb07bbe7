import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { open, seal } from '../../lib/crypto/seal.js'

const KEY = randomBytes(32)

const anyText = fc.uint16Array({ maxLength: 50 }).map((units) => String.fromCharCode(...units))

t.test('whatever text was sealed is opened again', async () => {
  fc.assert(fc.property(anyText, anyText, (plaintext, about) => {
    const wellFormed = Buffer.from(plaintext).toString()
    return open(KEY, about, seal(KEY, about, wellFormed)) === wellFormed
  }))
})

t.test('sealing the same text twice gives two different answers', async (t) => {
  t.not(seal(KEY, 'a', 'text'), seal(KEY, 'a', 'text'))
})

t.test('another key or another subject does not open it', async (t) => {
  const sealed = seal(KEY, 'grant 1', 'text')

  t.equal(open(randomBytes(32), 'grant 1', sealed), null)
  t.equal(open(KEY, 'grant 2', sealed), null)
})

t.test('a sealed text with any one byte changed is not opened', async (t) => {
  const bytes = Buffer.from(seal(KEY, 'a', 'text'), 'base64url')

  for (let position = 0; position < bytes.length; position++) {
    const changed = Buffer.from(bytes)
    changed.writeUInt8(bytes.readUInt8(position) ^ 1, position)
    t.equal(open(KEY, 'a', changed.toString('base64url')), null, `byte ${position}`)
  }
})

t.test('a sealed text that is cut short or goes on is not opened', async (t) => {
  const sealed = seal(KEY, 'a', '')

  for (let length = 0; length < sealed.length; length++) t.equal(open(KEY, 'a', sealed.slice(0, length)), null)
  t.equal(open(KEY, 'a', `${sealed}AAAA`), null)
})

t.test('another spelling of the same bytes is not opened', async (t) => {
  const sealed = seal(KEY, 'a', 'text')

  for (const spelling of [`${sealed}=`, ` ${sealed}`, `${sealed}\n`, `${sealed}!`]) {
    t.equal(open(KEY, 'a', spelling), null, JSON.stringify(spelling))
  }
})

t.test('arbitrary text is never opened and never throws', async () => {
  fc.assert(fc.property(anyText, (text) => open(KEY, 'a', text) === null))
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
    return open(KEY, 'a', Buffer.from([1, ...bytes]).toString('base64url')) === null
  }))
})
