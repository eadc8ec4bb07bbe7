import fc from 'fast-check'
import t from 'tap'
import { normaliseAccountName } from '../../lib/identity/account-name.js'

const REFUSED = {
  'an empty name': '',
  'nothing but spaces': '   ',
  'a space inside': 'ada lovelace',
  'a line break': 'ada\n',
  'a NUL': 'ada\0',
  'an escape character': 'ada\u001b[31m',
  'a right-to-left override': 'ada\u202eevil',
  'a zero-width joiner': 'a\u200dda',
  'a lone surrogate': 'ada\ud800',
  'a slash': 'ada/admin',
  markup: '<b>ada</b>',
  quotes: 'ada"',
  'an emoji': 'ada😀',
  'a dash at the beginning, which looks like an option': '-ada',
  'dots alone': '..',
  'a combining mark at the beginning': '\u0301ada',
  '65 characters': 'a'.repeat(65),
  'a character that NFKC makes too many of': '\ufdfa'.repeat(5),
  'ten thousand characters': 'a'.repeat(10_000)
}

for (const [what, text] of Object.entries(REFUSED)) {
  t.test(`${what} names no account`, async (t) => {
    t.equal(normaliseAccountName(text), null)
  })
}

const ACCEPTED = {
  'capitals become small': ['Ada', 'ada'],
  'spaces around a name are dropped': [' ada ', 'ada'],
  'a mail address is a name': ['Ada.L@example.org', 'ada.l@example.org'],
  'full-width letters become plain ones': ['ａｄａ', 'ada'],
  'a decomposed letter is put together': ['rene\u0301', 'rené'],
  'a letter that hides a capital is folded, too': ['\u212bsa', 'åsa'],
  'other scripts are letters': ['Ωμέγα', 'ωμέγα'],
  'a name may begin with a digit': ['7of9', '7of9'],
  'a property of every object is a name like any other': ['a__proto__', 'a__proto__'],
  '64 characters are enough': ['a'.repeat(64), 'a'.repeat(64)]
} as const

for (const [what, [text, name]] of Object.entries(ACCEPTED)) {
  t.test(what, async (t) => {
    t.equal(normaliseAccountName(text), name)
  })
}

t.test('normalising a name twice changes nothing', async () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
    const name = normaliseAccountName(text)
    return name === null || normaliseAccountName(name) === name
  }), { numRuns: 2000 })
})

t.test('a name is never longer than 64 characters and never holds anything that a terminal or a page would obey', async () => {
  const letter = fc.oneof(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }), fc.constantFrom(...'aAzZ09._-@ İßϓﬁ'))
  fc.assert(fc.property(fc.array(letter, { maxLength: 70 }), (letters) => {
    const name = normaliseAccountName(letters.join(''))
    return name === null || (name.length <= 128 && [...name].length <= 64 && !/[\p{C}\s<>&"'/\\]/u.test(name))
  }), { numRuns: 2000 })
})

t.test('two spellings that differ in case only are one name', async () => {
  fc.assert(fc.property(fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9._@-]{0,40}$/), (text) =>
    normaliseAccountName(text.toUpperCase()) === normaliseAccountName(text.toLowerCase())))
})
