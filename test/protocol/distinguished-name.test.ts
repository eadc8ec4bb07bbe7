import fc from 'fast-check'
import t from 'tap'
import { isSameName, readDistinguishedName, readSubject } from '../../lib/protocol/distinguished-name.js'

const isSame = (text: string, lines: string): boolean => {
  const [name, subject] = [readDistinguishedName(text), readSubject(lines)]
  return name !== null && subject !== null && isSameName(name, subject)
}

t.test('the text of RFC 4514 is the name that Node prints the other way round', async (t) => {
  t.ok(isSame('CN=client,O=Example,C=GB', 'C=GB\nO=Example\nCN=client'))
  t.ok(isSame('cn=client, o=Example\\, Ltd', 'O=Example\\, Ltd\nCN=client'))
  t.ok(isSame('CN=a\\,b\\+c\\"\\\\', 'CN=a\\,b\\+c\\"\\\\'))
  t.ok(isSame('CN=Lu\\C4\\8Di\\C4\\87', 'CN=Lučić'))
  t.ok(isSame('UID=x+CN=y,O=z', 'O=z\nCN=y + UID=x'))
  t.ok(isSame('2.5.4.5=1', '2.5.4.5=1'))
  t.ok(isSame('CN=\\ a\\ ', 'CN=\\20a\\20'))
})

t.test('another name is not the same', async (t) => {
  for (const lines of [
    'CN=client\nO=Example', 'O=Example', 'CN=client', 'O=example\nCN=client', 'O=Example\nCN=client\nCN=admin', '',
    'O=Example\\, CN=client', 'O=Example\nCN=client + UID=1', 'O=Example\nCN=client\\0A'
  ]) {
    t.notOk(isSame('CN=client,O=Example', lines), lines)
  }
})

t.test('what says something by its separators only when they are not escaped cannot pass as another name', async (t) => {
  t.notOk(isSame('CN=a,O=b', 'CN=a\\,O=b'))
  t.notOk(isSame('CN=a+UID=b', 'CN=a\\+UID=b'))
  t.notOk(isSame('CN=["a"]', 'CN=a'))
})

t.test('what is no name is none', async (t) => {
  for (const text of [
    '', '=', 'CN', 'CN=', '=a', 'CN=a,', ',CN=a', 'CN=#04024869', 'CN=a\\', 'CN=a\\zz', 'CN=a"b', 'CN=a<b', 'CN=a;O=b',
    'CN= a', 'CN=a ', 'C N=a', 'CN=\\ff', 'CN=a\0', 'CN=a++UID=b'
  ]) {
    t.equal(readDistinguishedName(text), null, text)
  }
})

t.test('every value comes back, however many bytes of it are escaped', async () => {
  const value = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((text) => !text.includes('\0'))
  const escaped = (text: string): string =>
    [...Buffer.from(text)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('')
  fc.assert(fc.property(value, value, (a, b) => isSame(`CN=${escaped(a)}`, `CN=${escaped(b)}`) === (a === b)))
})
