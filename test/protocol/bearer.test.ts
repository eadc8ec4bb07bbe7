import fc from 'fast-check'
import t from 'tap'
import { isB64Token, readBearer } from '../../lib/protocol/bearer.js'

/** Reads the header as whoever does not know the token yet. */
function read (...values: string[]): ReturnType<typeof readBearer> {
  const lines = ['Host', 'h.example', ...values.flatMap((value) => ['Authorization', value]), 'Accept', '*/*']
  const credentials = readBearer(lines)
  const unknown = credentials.type === 'token' && !isB64Token(credentials.token)
  return unknown ? { type: 'malformed', status: 401, reason: 'not a token' } : credentials
}

t.test('a token is read, whatever the case of scheme and header name', async (t) => {
  for (const name of ['authorization', 'Authorization', 'AUTHORIZATION', 'aUtHoRiZaTiOn']) {
    for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR']) {
      t.strictSame(readBearer(['Accept', '*/*', name, `${scheme} abc`]), { type: 'token', token: 'abc', scheme: 'bearer' })
    }
  }
})

t.test('every character of b64token is read, with padding at the end', async (t) => {
  const token = 'ABCXYZabcxyz0189-._~+/=='

  t.strictSame(read(`Bearer ${token}`), { type: 'token', token, scheme: 'bearer' })
})

t.test('a token of the scheme DPoP is told apart, whatever its case', async (t) => {
  for (const scheme of ['DPoP', 'dpop', 'DPOP']) {
    t.strictSame(read(`${scheme}  abc`), { type: 'token', token: 'abc', scheme: 'dpop' })
  }
  for (const value of ['DPoP', 'DPoP a b', `DPoP ${'x'.repeat(8193)}`]) t.match(read(value), { type: 'malformed', status: 401 })
})

t.test('several blanks may stand between scheme and token', async (t) => {
  t.strictSame(read('Bearer   abc'), { type: 'token', token: 'abc', scheme: 'bearer' })
})

t.test('a token of 8192 characters is read', async (t) => {
  t.match(read(`Bearer ${'x'.repeat(8192)}`), { type: 'token' })
})

const NONE: Record<string, string[]> = {
  'no Authorization header': [],
  'an empty header': [''],
  'Basic credentials': ['Basic YTpi'],
  'a scheme that begins like DPoP': ['DPoPs abc'],
  'a scheme that begins like ours': ['Bearers abc'],
  'the token in place of the scheme': ['abc'],
  'a blank before the scheme': [' Bearer abc']
}

for (const [name, values] of Object.entries(NONE)) {
  t.test(`a request with ${name} shows no credential`, async (t) => {
    t.strictSame(read(...values), { type: 'none' })
  })
}

const MALFORMED: Record<string, string> = {
  'only the scheme': 'Bearer',
  'the scheme and a blank': 'Bearer ',
  'two tokens': 'Bearer abc def',
  'two tokens with a comma': 'Bearer abc, Bearer def',
  'a comma': 'Bearer abc,def',
  'a tab': 'Bearer\tabc'.replace('\t', ' \t'),
  'a blank at the end': 'Bearer abc ',
  'a line break at the end': 'Bearer abc\n',
  'padding in the middle': 'Bearer ab=c',
  'only padding': 'Bearer ==',
  'a quoted token': 'Bearer "abc"',
  'a parameter': 'Bearer token=abc;',
  'a NUL': 'Bearer a\0bc',
  'a letter outside of ASCII': 'Bearer äbc',
  'a lone surrogate': 'Bearer \ud800',
  'a token of 8193 characters': `Bearer ${'x'.repeat(8193)}`
}

for (const [name, value] of Object.entries(MALFORMED)) {
  t.test(`${name} is malformed, answered with 401`, async (t) => {
    t.match(read(value), { type: 'malformed', status: 401, reason: /./ })
  })
}

t.test('two Authorization headers are malformed, answered with 400, and neither is picked', async (t) => {
  for (const values of [['Bearer a', 'Bearer b'], ['Bearer a', 'Bearer a'], ['Basic x', 'Bearer a'], ['', 'Bearer a']]) {
    t.match(read(...values), { type: 'malformed', status: 400 })
  }
  t.match(readBearer(['authorization', 'Bearer a', 'AUTHORIZATION', 'Bearer b']), { status: 400 })
})

t.test('header values that look like the header are not taken for it', async (t) => {
  t.strictSame(readBearer(['x-note', 'authorization', 'Bearer', 'x']), { type: 'none' })
  t.strictSame(readBearer(['proxy-authorization', 'Bearer a', 'authorization2', 'Bearer b', 'authorizatio', 'Bearer c']),
    { type: 'none' })
})

t.test('a list that ends inside a header shows no credential', async (t) => {
  t.strictSame(readBearer(['authorization']), { type: 'none' })
  t.strictSame(readBearer([]), { type: 'none' })
})

t.test('the reason never repeats what was sent', async (t) => {
  t.notMatch(JSON.stringify(read('Bearer s3cret,')), /s3cret/)
})

const grammar = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i
const value = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom(...'aZ9-._~+/= ,"\t') }).map((token) => `Bearer ${token}`)
)

t.test('a token comes out exactly when the header is by the grammar of RFC 6750 §2.1', async () => {
  fc.assert(fc.property(value, (header) => {
    const credentials = read(header)
    const token = grammar.exec(header)?.[1]
    return credentials.type === 'token' ? credentials.token === token : token === undefined
  }), { numRuns: 2000 })
})

t.test('more than one header is never a token, wherever they stand', async () => {
  const lines = fc.array(fc.constantFrom(['Authorization', 'Bearer a'], ['authorization', 'Basic b'], ['Accept', '*/*']))
  fc.assert(fc.property(lines, (headers) => {
    const { type } = readBearer(headers.flat())
    const count = headers.filter(([name]) => name?.toLowerCase() === 'authorization').length
    return count > 1 ? type === 'malformed' : type === (headers.flat().includes('Bearer a') ? 'token' : 'none')
  }))
})
