import fc from 'fast-check'
import t from 'tap'
import { bounded, boundedList } from '../../lib/audit/bounded.js'

t.test('what is absent is null', async (t) => {
  t.equal(bounded(undefined, 10), null)
  t.equal(bounded(null, 10), null)
})

t.test('plain text stays as it is, up to its bound', async (t) => {
  t.equal(bounded('https://mcp.example.com/mcp', 100), 'https://mcp.example.com/mcp')
  t.equal(bounded('abcdef', 6), 'abcdef')
  t.equal(bounded('abcdefg', 6), 'abcdef')
  t.equal(bounded('Zoë 🦉', 100), 'Zoë 🦉')
})

const UNSAFE = {
  'a line break': 'a\r\nb',
  'an escape sequence': 'a\x1Bb',
  'a NUL byte': 'a\0b',
  'a C1 control': 'a\x9Bb',
  'a right-to-left override': 'a\u202Eb',
  'a zero-width space': 'a\u200Bb',
  'a line separator': 'a\u2028b',
  'a lone surrogate': 'a\uD800b'
}

for (const [name, text] of Object.entries(UNSAFE)) {
  t.test(`${name} is taken out`, async (t) => {
    t.equal(bounded(text, 100), 'ab')
  })
}

t.test('no text comes out longer than its bound, split in a character or with a control character', async () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 50 }), fc.integer({ min: 0, max: 60 }), (text, max) => {
    const out = bounded(text, max) ?? ''
    return out.length <= max && !/[\p{Cc}\p{Cs}]/u.test(out)
  }))
})

t.test('a list holds at most a hundred bounded texts', async (t) => {
  const many = Array.from({ length: 10_000 }, () => 'scope\n')

  t.same(boundedList(many, 5), Array.from({ length: 100 }, () => 'scope'))
})

t.test('an absent list is an empty one', async (t) => {
  t.same(boundedList(undefined, 5), [])
  t.same(boundedList([], 5), [])
})

t.test('a list is copied, so that nobody changes an event afterwards', async (t) => {
  const scopes = ['a']

  const kept = boundedList(scopes, 5)
  scopes.push('b')

  t.same(kept, ['a'])
})
