import fc from 'fast-check'
import t from 'tap'
import { assertCount, assertKey, assertPageLimit, assertRecord, isKey, isQuery } from '../../lib/stores/checks.js'

const KEY = { tenant: 'tenant', kind: 'kind', id: 'id' }
const RECORD = { ...KEY, expiresAt: null, index: {}, body: '{}' }
const BAD = ['', 'a\0', '\ud800', '\udc00\ud800', 'x'.repeat(513)]

t.test('a name of 1 to 512 well-formed characters without NUL may be any', async () => {
  fc.assert(fc.property(fc.uint16Array({ minLength: 1, maxLength: 200 }), (units) => {
    const id = String.fromCharCode(...units)
    return isKey({ ...KEY, id }) === (!id.includes('\0') && Buffer.from(id).toString() === id)
  }))
})

t.test('a character beyond the basic plane counts as two', async (t) => {
  t.equal(isKey({ ...KEY, id: '😀'.repeat(256) }), true)
  t.equal(isKey({ ...KEY, id: '😀'.repeat(257) }), false)
})

for (const part of ['tenant', 'kind', 'id']) {
  t.test(`a key whose ${part} cannot be kept exactly is no key`, async (t) => {
    for (const name of BAD) {
      t.equal(isKey({ ...KEY, [part]: name }), false)
      t.throws(() => { assertKey({ ...KEY, [part]: name }) }, TypeError)
      t.throws(() => { assertRecord({ ...RECORD, [part]: name }) }, TypeError)
    }
  })
}

t.test('a query for what cannot be kept is told apart', async (t) => {
  t.equal(isQuery(KEY), true)
  t.equal(isQuery({ ...KEY, where: { name: 'subject', value: '' } }), true)
  t.equal(isQuery({ ...KEY, tenant: '' }), false)
  t.equal(isQuery({ ...KEY, kind: '\0' }), false)
  t.equal(isQuery({ ...KEY, where: { name: '', value: 'a' } }), false)
  t.equal(isQuery({ ...KEY, where: { name: 'a', value: '\0' } }), false)
})

t.test('an index may have eight values, empty ones too', async (t) => {
  const index = (size: number) => {
    return Object.fromEntries(Array.from({ length: size }, (_, position) => [`name${position}`, '']))
  }

  t.doesNotThrow(() => { assertRecord({ ...RECORD, index: index(8) }) })
  t.throws(() => { assertRecord({ ...RECORD, index: index(9) }) }, TypeError)
})

t.test('an index name or value that cannot be kept exactly is refused', async (t) => {
  for (const name of BAD) t.throws(() => { assertRecord({ ...RECORD, index: { [name]: 'a' } }) }, TypeError)
  for (const value of BAD.slice(1)) t.throws(() => { assertRecord({ ...RECORD, index: { a: value } }) }, TypeError)
})

t.test('an expiry is a whole number or null', async (t) => {
  for (const expiresAt of [null, 0, 1_700_000_000]) t.doesNotThrow(() => { assertRecord({ ...RECORD, expiresAt }) })
  for (const expiresAt of [1.5, NaN, Infinity, 2 ** 53]) {
    t.throws(() => { assertRecord({ ...RECORD, expiresAt }) }, TypeError)
  }
})

t.test('a count is a whole number from 1, a page limit to 1000', async (t) => {
  for (const count of [1, 1000]) t.doesNotThrow(() => { assertPageLimit(count) })
  for (const count of [0, 1001, 1.5, NaN]) t.throws(() => { assertPageLimit(count) }, RangeError)
  t.doesNotThrow(() => { assertCount('by', 1001) })
  for (const count of [0, -1, 1.5, Infinity]) t.throws(() => { assertCount('by', count) }, { message: /^by must/ })
})
