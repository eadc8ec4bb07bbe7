import fc from 'fast-check'
import t from 'tap'
import { assertNoRepeats, formOfQuery, readForm, single } from '../../lib/protocol/form.js'
import { OAuthError } from '../../lib/protocol/oauth-error.js'

const REFUSED: Record<string, string> = {
  'NUL in a value': 'a=b%00c',
  'NUL as it is': 'a=b\0c',
  'NUL in a name': 'a%00=b',
  'half an escape': 'a=%4',
  'an escape that is not hexadecimal': 'a=%zz',
  'a bare percent sign': 'a=100%',
  'a byte that UTF-8 does not know': 'a=%ff',
  'an overlong encoding of a slash': 'a=%c0%af',
  'a surrogate in UTF-8': 'a=%ed%a0%80',
  'a lone surrogate as it is': 'a=\ud800',
  'a bad escape in a name': '%=a',
  'more than 128 parameters': Array.from({ length: 129 }, (_, index) => `p${index}=1`).join('&'),
  'more than 128 separators': '&'.repeat(129)
}

for (const [name, text] of Object.entries(REFUSED)) {
  t.test(`a form with ${name} is refused as invalid_request`, async (t) => {
    t.throws(() => readForm(text), { code: 'invalid_request', status: 400 })
  })
}

t.test('a form that is too long is refused with 413 before it is read', async (t) => {
  t.throws(() => readForm('x'.repeat(65_537)), { code: 'invalid_request', status: 413 })
  t.equal(single(readForm(`a=${'x'.repeat(65_534)}`), 'a')?.length, 65_534)
})

t.test('as many parameters as a consent page with the largest catalogue has are read', async (t) => {
  t.equal(readForm(Array.from({ length: 128 }, (_, index) => `p${index}=1`).join('&')).size, 128)
})

t.test('plus is a blank, an escaped plus is a plus', async (t) => {
  t.equal(single(readForm('scope=a+b%2Bc%20d'), 'scope'), 'a b+c d')
})

t.test('an escaped percent sign before two zeros is no NUL', async (t) => {
  t.equal(single(readForm('a=%2500'), 'a'), '%00')
})

t.test('names are decoded as well', async (t) => {
  t.equal(single(readForm('client%5Fid=x'), 'client_id'), 'x')
})

t.test('everything after the first equals sign is the value', async (t) => {
  t.equal(single(readForm('token=abc=='), 'token'), 'abc==')
})

t.test('an empty value counts as omitted', async (t) => {
  const form = readForm('state=&scope')

  t.equal(single(form, 'state'), undefined)
  t.equal(single(form, 'scope'), undefined)
  t.equal(single(form, 'other'), undefined)
})

t.test('empty pairs are skipped', async (t) => {
  t.strictSame([...readForm('&&a=1&&')], [['a', ['1']]])
  t.equal(readForm('').size, 0)
})

t.test('a repeated parameter is refused, even when one of the values is empty', async (t) => {
  for (const text of ['code=a&code=b', 'code=a&code=a', 'code=a&code=', 'code=a&c%6fde=b']) {
    t.throws(() => single(readForm(text), 'code'), { code: 'invalid_request' })
  }
})

t.test('a repeat of any parameter is refused, known or not', async (t) => {
  t.throws(() => { assertNoRepeats(readForm('a=1&foo=1&foo=2')) }, { code: 'invalid_request' })
  t.doesNotThrow(() => { assertNoRepeats(readForm('a=1&foo=1')) })
})

t.test('a repeat that is excepted is let through, another one beside it is not', async (t) => {
  t.doesNotThrow(() => { assertNoRepeats(readForm('resource=1&resource=2'), ['resource']) })
  t.throws(() => { assertNoRepeats(readForm('resource=1&resource=2&a=1&a=2'), ['resource']) }, { code: 'invalid_request' })
})

t.test('the error never repeats what was sent', async (t) => {
  for (const text of ['s3cret=%zz', 's3cret=1&s3cret=2']) {
    try {
      assertNoRepeats(readForm(text))
      t.fail('must be refused')
    } catch (error) {
      t.notMatch(JSON.stringify(error), /s3cret/)
    }
  }
})

t.test('a parameter named like a member of Object.prototype is only a parameter', async (t) => {
  const form = readForm('__proto__=a&constructor=b&toString=c')

  t.strictSame([...form.keys()], ['__proto__', 'constructor', 'toString'])
  t.equal(single(readForm('a=1'), 'constructor'), undefined)
})

t.test('the query is what follows the first question mark', async (t) => {
  t.equal(single(formOfQuery('/authorize?client_id=a?b'), 'client_id'), 'a?b')
  t.equal(formOfQuery('/authorize').size, 0)
  t.equal(formOfQuery('/authorize?').size, 0)
})

const text = fc.string({ unit: 'grapheme', maxLength: 30 }).filter((value) => !value.includes('\0'))

t.test('what URLSearchParams writes is read back, in order and with repeats', async () => {
  fc.assert(fc.property(fc.array(fc.tuple(text, text), { maxLength: 20 }), (pairs) => {
    const form = readForm(new URLSearchParams(pairs).toString())
    return [...form].every(([name, values]) =>
      JSON.stringify(values) === JSON.stringify(pairs.filter(([key]) => key === name).map(([, value]) => value))) &&
      pairs.every(([name]) => form.has(name))
  }))
})

t.test('whatever is sent is read as URLSearchParams reads it, or refused', async () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'ab=&+%0fF4\0é?'), maxLength: 40 }), (sent) => {
    let form
    try {
      form = readForm(sent)
    } catch (error) {
      return error instanceof OAuthError
    }
    const expected = [...new URLSearchParams(`&${sent}`)]
    const total = [...form.values()].flat().length
    return total === expected.length && expected.every(([name, value]) => form.get(name)?.includes(value))
  }), { numRuns: 1000 })
})
