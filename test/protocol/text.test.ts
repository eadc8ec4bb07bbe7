import fc from 'fast-check'
import t from 'tap'
import { hasControlCharacters, isWellFormed, plainText } from '../../lib/protocol/text.js'

t.test('control characters are C0, DEL and C1', async (t) => {
  for (const text of ['a\0', 'a\tb', 'a\r\nb', 'a\x7f', 'a\x85']) t.equal(hasControlCharacters(text), true)
  for (const text of ['', 'plain text', 'Käse 🧀', '\u202e']) t.equal(hasControlCharacters(text), false)
})

t.test('a lone surrogate makes a text ill-formed, a pair does not', async (t) => {
  for (const text of ['\ud800', 'a\udc00b', '\udc00\ud800']) t.equal(isWellFormed(text), false)
  for (const text of ['', 'plain', '🧀', '\ufffd']) t.equal(isWellFormed(text), true)
})

const VECTORS: Record<string, [string, string]> = {
  'a plain name stays': ['My Client', 'My Client'],
  'letters of other scripts stay': ['Käse 東京 नमस्ते', 'Käse 東京 नमस्ते'],
  'a right-to-left override is dropped': ['evil\u202egnp.exe', 'evilgnp.exe'],
  'bidi isolates are dropped': ['\u2066a\u2069', 'a'],
  'zero-width characters are dropped': ['Cla\u200bu\u200dde\ufeff', 'Claude'],
  'line breaks and tabs become one blank': ['one\r\n\ttwo\u2028three', 'one two three'],
  'NUL and DEL are dropped': ['a\0b\x7fc', 'abc'],
  'lone surrogates are dropped': ['a\ud800b', 'ab'],
  'letters that show nothing are dropped': ['\u3164\u115f', ''],
  'a name of blanks is empty': [' \u2800\u00a0 ', ''],
  'a blank left between invisible characters is not doubled': ['a \u200b b', 'a b'],
  'markup stays, since escaping is the business of the page': ['<b>x</b>', '<b>x</b>'],
  'a tower of combining marks is cut to four': [`e${'\u0301'.repeat(50)}`, `e${'\u0301'.repeat(4)}`]
}

for (const [name, [text, plain]] of Object.entries(VECTORS)) {
  t.test(`plain text: ${name}`, async (t) => { t.equal(plainText(text, 80), plain) })
}

t.test('a name that is too long ends with an ellipsis inside the bound', async (t) => {
  t.equal(plainText('abcdef', 6), 'abcdef')
  t.equal(plainText('abcdefg', 6), 'abcde…')
  t.equal(plainText('abcd efg', 6), 'abcd…')
})

t.test('a character outside of the basic plane is never cut in two', async (t) => {
  t.equal(plainText('🧀🧀🧀', 2), '🧀…')
})

t.test('ten kilobytes of a name are cut like any other', async (t) => {
  t.equal(plainText('x'.repeat(10_240), 60).length, 60)
})

t.test('whatever goes in, what comes out is short, well-formed and free of characters that cannot be seen', async () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.integer({ min: 1, max: 80 }), (text, max) => {
    const plain = plainText(text, max)
    return [...plain].length <= max && isWellFormed(plain) && !hasControlCharacters(plain) &&
      !/[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u.test(plain) && plain === plain.trim()
  }))
})

t.test('a text that is already plain does not change', async () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
    const plain = plainText(text, 50)
    return plainText(plain, 50) === plain
  }))
})
