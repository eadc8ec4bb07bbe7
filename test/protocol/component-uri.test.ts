import fc from 'fast-check'
import t from 'tap'
import { decodeLoosely, foldAuthority, isNormalText, looseSpellings, readUri } from '../../lib/protocol/component-uri.js'

const NORMAL = [
  'notes://all', 'notes://Ab12', 'notes:all', 'file:///docs/a.txt', 'file:///docs/..a', 'file:///docs/a..b/c.', 'ui://w/x.html',
  'notes://a%2Fb', 'notes://a%C3%A9', 'notes://a?x=1&y=(2)', 'notes://a#x', 'urn:isbn:0451450523', 'https://h.example/',
  'https://h.example:8443/a', 'x-1.y+z://a', "x:!$&'()*+,;=@~_-", 'http://[::1]/', 'notes://a?b=.', 'notes://...', 'x:a%20b'
]

for (const uri of NORMAL) {
  t.test(`${uri} is in normal form`, async (t) => { t.equal(readUri(uri)?.written, uri) })
}

const REFUSED: Record<string, string[]> = {
  'is no absolute URI': ['', 'all', '/all', '//h/all', 'notes', '://a', '1x://a', '-x:a', 'x_y://a'],
  'has a scheme in upper case': ['Notes://all', 'FILE:///a'],
  'has a host that the platform writes otherwise': ['https://H.example/', 'https://h.example', 'https://h.example:443/', 'http://127.1/'],
  'has dot segments': [
    'notes://a/../b', 'notes://a/./b', 'notes://a/..', 'notes://a/.', 'notes:a/../b', 'notes:../b', 'notes:..', 'notes://../a',
    'file:///../a', 'notes://a/..?x', 'notes://a/..#x'
  ],
  'has encoded dot segments': [
    'notes://a/%2e%2e/b', 'notes://a/%2E%2E/b', 'notes://a/.%2E/b', 'notes://a/..%2Fb', 'notes://a%2F..%2Fb', 'notes://a%5C..%5Cb',
    'notes://a/..%5Cb', 'notes://a%2F..', 'notes://a%2F.%3Fx', 'notes://a/..%23'
  ],
  'encodes what need not be': ['notes://%61', 'notes://a%41', 'notes://a%7E', 'notes://a%2D', 'notes://a%5F', 'notes://a%30', 'notes://a%5A',
    'notes://a%7A', 'notes://a%39', 'notes://a%6F', 'notes://a%4F', 'notes://a%50', 'notes://a%70'],
  'encodes in lower case': ['notes://a%2fb', 'notes://a%c3%a9'],
  'encodes a control character': ['notes://a%00', 'notes://a%0A', 'notes://a%1F', 'notes://a%7F'],
  'encodes badly': ['notes://a%', 'notes://a%2', 'notes://a%GG', 'notes://a%FF', 'notes://a%C3', 'notes://a%C3/%A9'],
  'has characters that are none of a URI': ['notes://a b', 'notes://a\\b', 'notes://é', 'notes://a\n', ' notes://a', 'notes://a\t', 'notes://{id}',
    'notes://a/b|c', 'notes://a/"b"', 'notes://a/<b>', 'notes://a/b^', 'notes://a/`', 'notes://a\0'],
  'cannot be parsed': ['https://', 'https://a:b/', 'http://[::1/', 'notes://a:99999/']
}

for (const [why, uris] of Object.entries(REFUSED)) {
  t.test(`a URI that ${why} is not read`, async (t) => {
    for (const uri of uris) t.equal(readUri(uri), null, JSON.stringify(uri))
  })
}

t.test('a URI is decoded once, with its authority in lower case', async (t) => {
  t.strictSame(readUri('notes://Ab/Cd%2FEf')?.decoded, ['notes:/ab/Cd/Ef'])
  t.strictSame(readUri('notes:Ab//Cd')?.decoded, ['notes:Ab/Cd'])
  t.strictSame(readUri('notes://A%25B')?.decoded, ['notes:/a%b'])
})

t.test('slashes of either kind and in any number are one, and one at the end may be none', async (t) => {
  t.strictSame(readUri('x:a///b')?.decoded, ['x:a/b'])
  t.strictSame(readUri('x:a%5C%5C%2Fb//c')?.decoded, ['x:a/b/c'])
  for (const uri of ['x:a/', 'x:a//', 'x:a%2F', 'x:a%5C']) t.strictSame(readUri(uri)?.decoded, ['x:a/', 'x:a'], uri)
})

t.test('a URI is also read without its query and fragment', async (t) => {
  for (const uri of ['x:a?b', 'x:a#b', 'x:a?b#c?d', 'x:a?']) t.strictSame(readUri(uri)?.bare, ['x:a'], uri)
  t.strictSame(readUri('x:a')?.bare, [])
  t.strictSame(readUri('x:a%3Fb?c')?.bare, ['x:a?b'])
  t.strictSame(readUri('x:a/?c')?.bare, ['x:a/', 'x:a'])
  t.strictSame(readUri('x:a?b/c')?.decoded, ['x:a?b/c'])
})

t.test('a run of slashes that is not at the end is read once, however long (or this never ends)', async (t) => {
  for (const slash of ['/', '%2F', '%5C']) {
    t.strictSame(readUri(`x:a${slash.repeat(300_000)}b`)?.decoded, ['x:a/b'])
  }
})

t.test('a template is spelled with its authority in lower case, with and without slashes at its end', async (t) => {
  t.strictSame(looseSpellings('x://A/{B}'), ['x://a/{B}'])
  for (const end of ['/', '//', '%2F', '%5C/']) t.strictSame(looseSpellings(`x://h/{a}${end}`), [`x://h/{a}${end}`, 'x://h/{a}'], end)
  t.strictSame(looseSpellings('x://{a}%2F'), ['x://{a}%2f', 'x://{a}'])
  t.equal(decodeLoosely('/a%2F/b%20'), '/a/b ')
})

t.test('only what stands between :// and the path, query or fragment is an authority', async (t) => {
  t.equal(foldAuthority('notes://AB/CD'), 'notes://ab/CD')
  t.equal(foldAuthority('notes://AB?CD'), 'notes://ab?CD')
  t.equal(foldAuthority('notes://AB#CD'), 'notes://ab#CD')
  t.equal(foldAuthority('a:B://C'), 'a:B://C')
  t.equal(foldAuthority('a/B://C'), 'a/B://C')
  t.equal(foldAuthority('x:/A'), 'x:/A')
})

t.test('a text is normal whatever its parts mean to the platform', async (t) => {
  t.equal(isNormalText('https://h.example:x/x'), true)
  t.equal(isNormalText('https://x/../x'), false)
  t.equal(isNormalText('x'), false)
  t.equal(isNormalText('x:%41'), false)
  t.equal(isNormalText('x:%C3'), false)
  t.equal(isNormalText('x: '), false)
})

const uri = fc.string({ unit: fc.constantFrom('a', 'B', '/', '.', ':', '%2F', '%2E', '%5C', '?', '#', '@', '%', ' '), maxLength: 12 })

t.test('what is read stays as it was sent, parses, and decodes to no dot segment', async () => {
  fc.assert(fc.property(uri, (rest) => {
    const read = readUri(`x:${rest}`)
    if (read === null) return true
    const paths = [...read.decoded, ...read.bare].map((text) => text.replace(/[?#].*/, '').slice(2))
    return read.written === `x:${rest}` && new URL(read.written).href === read.written &&
      paths.flatMap((path) => path.split(/[/\\]/)).every((segment) => segment !== '.' && segment !== '..')
  }), { numRuns: 3000 })
})
