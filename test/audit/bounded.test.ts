import fc from 'fast-check'
import t from 'tap'
import { bounded, boundedList, boundedOnce } from '../../lib/audit/bounded.js'

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

t.test('a list that nobody can change is not copied, unless something in it has to go', async (t) => {
  const frozen = (...texts: string[]) => Object.freeze(texts)
  const scopes = frozen('a', 'b')

  t.equal(boundedList(scopes, 5), scopes)
  t.same(boundedList(frozen('a\n'), 5), ['a'])
  t.same(boundedList(frozen('abcdef'), 5), ['abcde'])
  t.equal(boundedList(frozen(...Array.from({ length: 101 }, () => 'a')), 5).length, 100)
})

t.test('text that comes again is bounded again, however it was bounded before', async (t) => {
  t.equal(bounded('once more', 100), 'once more')
  t.equal(bounded('once more', 4), 'once')
  t.equal(bounded('a\nb', 100), 'ab')
  t.equal(bounded('a\nb', 100), 'ab')
})

t.test('more texts than are kept, and longer ones, are bounded as well', async (t) => {
  for (let count = 0; count < 2100; count += 1) bounded(`user-${count}`, 100)
  const long = 'a'.repeat(400)

  t.equal(bounded('user-0', 4), 'user')
  t.equal(bounded(long, 500), long)
})

t.test('text that is not kept is bounded the same way', async (t) => {
  t.equal(boundedOnce(null, 10), null)
  t.equal(boundedOnce(undefined, 10), null)
  t.equal(boundedOnce('req-1', 10), 'req-1')
  t.equal(boundedOnce('req-1', 3), 'req')
  t.equal(boundedOnce('a\r\nb', 10), 'ab')
})
