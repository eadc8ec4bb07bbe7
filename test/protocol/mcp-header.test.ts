import fc from 'fast-check'
import t from 'tap'
import { decodeHeaderValue, readMcpHeader, saysSame } from '../../lib/protocol/mcp-header.js'

/** Header lines as Node hands them over. */
function sent (...lines: readonly [name: string, value: string][]) {
  const headers: Record<string, string> = {}
  for (const [name, value] of lines) {
    const before = headers[name.toLowerCase()]
    headers[name.toLowerCase()] = before === undefined ? value : `${before}, ${value}`
  }
  return { headers, rawHeaders: lines.flat() }
}

const encode = (text: string | Buffer): string => `=?base64?${Buffer.from(text).toString('base64')}?=`

t.test('a header is read by its name in any case, and without the blanks around it', async (t) => {
  for (const name of ['mcp-name', 'Mcp-Name', 'MCP-NAME']) {
    t.equal(readMcpHeader(sent([name, ' \t search the web \t']), 'mcp-name'), 'search the web')
  }
  t.equal(readMcpHeader(sent(['Mcp-Name', '']), 'mcp-name'), '')
  t.equal(readMcpHeader(sent(['Mcp-Method', 'x']), 'mcp-name'), undefined)
})

t.test('a header that is sent twice is nobody\'s, also where the two joined are a name', async (t) => {
  t.equal(readMcpHeader(sent(['Mcp-Name', 'search'], ['mcp-name', 'search']), 'mcp-name'), null)
  t.equal(readMcpHeader(sent(['Mcp-Name', 'a'], ['Accept', 'x, y'], ['MCP-NAME', 'b']), 'mcp-name'), null)
  t.equal(readMcpHeader(sent(['Mcp-Name', 'a, b'], ['Mcp-Names', 'c']), 'mcp-name'), 'a, b')
  t.equal(readMcpHeader({ headers: { 'mcp-name': ['a', 'b'] }, rawHeaders: [] }, 'mcp-name'), null)
})

t.test('a character that has to be encoded makes the value nobody\'s (TR-6)', async (t) => {
  for (const value of ['caf\u00e9', '\u00a0search', 'search\u0000', 'a\u007fb', 'line\nbreak', '\u2003search']) {
    t.equal(readMcpHeader(sent(['Mcp-Name', value]), 'mcp-name'), null, JSON.stringify(value))
  }
})

t.test('a marked value is decoded, any other is itself', async (t) => {
  const values: Record<string, string> = {
    '=?base64?SGVsbG8=?=': 'Hello',
    '=?base64??=': '',
    '=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=': '=?base64?literal?=',
    'SGVsbG8=': 'SGVsbG8=',
    '=?base64?SGVsbG8=': '=?base64?SGVsbG8=',
    'SGVsbG8=?=': 'SGVsbG8=?=',
    '=?BASE64?SGVsbG8=?=': '=?BASE64?SGVsbG8=?=',
    '=?Base64?SGVsbG8=?=': '=?Base64?SGVsbG8=?=',
    ' =?base64?SGVsbG8=?=': ' =?base64?SGVsbG8=?=',
    '=?utf-8?SGVsbG8=?=': '=?utf-8?SGVsbG8=?='
  }
  for (const [value, text] of Object.entries(values)) t.equal(decodeHeaderValue(value), text)
  t.equal(decodeHeaderValue(encode('\ufeffsearch')), '\ufeffsearch', 'a byte order mark is part of the name')
})

t.test('what is marked and not the one Base64 of a text is nobody\'s', async (t) => {
  const values: Record<string, string> = {
    'no padding': '=?base64?SGVsbG8?=',
    'too much padding': '=?base64?SGVsbG8==?=',
    'bits behind the last byte': '=?base64?SGVsbG9=?=',
    'other characters': '=?base64?SGVs!!!bG8=?=',
    'blanks inside': '=?base64?SGVs bG8=?=',
    'the alphabet of URLs': '=?base64?Pz8_Pz8-?=',
    'two texts': '=?base64?SGVs?==?base64?bG8=?=',
    'markers that overlap': '=?base64?=',
    'half a character': encode(Buffer.from([0xe4, 0xb8])),
    'a long spelling': encode(Buffer.from([0xc0, 0xaf])),
    'half a pair': encode(Buffer.from([0xed, 0xa0, 0x80]))
  }
  for (const [what, value] of Object.entries(values)) t.equal(decodeHeaderValue(value), null, what)
})

t.test('a header says the same only when it is there, once, and decodes to exactly that', async (t) => {
  t.ok(saysSame(sent(['Mcp-Name', 'search']), 'mcp-name', 'search'))
  t.ok(saysSame(sent(['Mcp-Name', encode('search')]), 'mcp-name', 'search'))
  t.ok(saysSame(sent(['Mcp-Name', encode('=?base64?eA==?=')]), 'mcp-name', '=?base64?eA==?='))
  for (const value of ['Search', 'search\0', encode('Search'), encode('search '), '=?base64?c2VhcmNo', encode(encode('search'))]) {
    t.notOk(saysSame(sent(['Mcp-Name', value]), 'mcp-name', 'search'), value)
  }
  t.notOk(saysSame(sent(), 'mcp-name', 'search'))
  t.notOk(saysSame(sent(['Mcp-Name', 'search'], ['Mcp-Name', 'search']), 'mcp-name', 'search'))
  t.notOk(saysSame(sent(['Mcp-Name', '=?base64?!?=']), 'mcp-name', '=?base64?!?='), 'not even to itself')
})

t.test('every text has one encoded spelling, and comes back from it', async () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => decodeHeaderValue(encode(text)) === text), { numRuns: 2000 })
})

t.test('no two values that are sent mean one text, except that a plain one may be encoded', async () => {
  const value = fc.oneof(
    fc.string(), fc.base64String().map((text) => `=?base64?${text}?=`), fc.string().map((text) => `=?base64?${text}?=`))
  fc.assert(fc.property(value, value, (one, other) => {
    const text = decodeHeaderValue(one)
    return one === other || text === null || text !== decodeHeaderValue(other) ||
      [one, other].includes(text)
  }), { numRuns: 2000 })
})

t.test('reading a header takes time in proportion to its length, however many blanks it has', async (t) => {
  const value = `a${' '.repeat(1_000_000)}b`
  t.equal(readMcpHeader(sent(['Mcp-Name', value]), 'mcp-name'), value)
})
