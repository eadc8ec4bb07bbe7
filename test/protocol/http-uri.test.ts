import fc from 'fast-check'
import t from 'tap'
import { normalHttpUri } from '../../lib/protocol/http-uri.js'

const HOME = 'https://h.example/mcp'

const same: Record<string, string> = {
  'upper case in scheme and host': 'HTTPS://H.Example/mcp',
  'the default port': 'https://h.example:443/mcp',
  'a query': 'https://h.example/mcp?a=b&c=%64',
  'an empty query': 'https://h.example/mcp?',
  'a fragment': 'https://h.example/mcp#part',
  'a query and a fragment': 'https://h.example/mcp?a#b',
  'letters that need no escape': 'https://h.example/%6dc%70',
  'a dot segment': 'https://h.example/x/../mcp',
  'an escaped dot segment': 'https://h.example/x/%2e%2E/mcp'
}
for (const [what, uri] of Object.entries(same)) {
  t.test(`${what} makes no difference`, async (t) => {
    t.equal(normalHttpUri(uri), HOME)
  })
}

const others: Record<string, string> = {
  'another host': 'https://other.example/mcp',
  'another scheme': 'http://h.example/mcp',
  'another port': 'https://h.example:8443/mcp',
  'a dot behind the host': 'https://h.example./mcp',
  'a slash at the end': 'https://h.example/mcp/',
  'two slashes': 'https://h.example//mcp',
  'a path behind it': 'https://h.example/mcp/more',
  'another case in the path': 'https://h.example/MCP',
  'an escaped slash': 'https://h.example/x%2f..%2fmcp',
  'an escape of an escape': 'https://h.example/%256dcp',
  'a host in the path': 'https://other.example//h.example/mcp'
}
for (const [what, uri] of Object.entries(others)) {
  t.test(`${what} is another address`, async (t) => {
    t.type(normalHttpUri(uri), 'string')
    t.not(normalHttpUri(uri), HOME)
  })
}

const none: Record<string, string> = {
  nothing: '',
  'a path alone': '/mcp',
  'no scheme': '//h.example/mcp',
  'another protocol': 'ftp://h.example/mcp',
  'a user': 'https://h.example@other.example/mcp',
  'a user and a password': 'https://a:b@h.example/mcp',
  'a backslash': 'https://h.example\\mcp',
  'a blank at the start': ' https://h.example/mcp',
  'a blank inside': 'https://h.example/m cp',
  'a line break': 'https://h.example/m\ncp',
  'a tab': 'https://h.example/m\tcp',
  'a letter outside of ASCII': 'https://h.example/mcpé',
  'a host outside of ASCII': 'https://hé.example/mcp',
  'an escape in the host': 'https://h.example%2A',
  'no host': 'https:///mcp',
  'one slash': 'https:/h.example/mcp',
  'a port that is none': 'https://h.example:99999/mcp',
  'more than 2048 characters': `https://h.example/${'x'.repeat(2048)}`
}
for (const [what, uri] of Object.entries(none)) {
  t.test(`${what} is no address`, async (t) => {
    t.equal(normalHttpUri(uri), null)
  })
}

t.test('a host alone has the path of a slash', async (t) => {
  t.equal(normalHttpUri('https://h.example'), 'https://h.example/')
  t.equal(normalHttpUri('https://h.example?x'), 'https://h.example/')
})

t.test('escapes that are needed stay, in upper case', async (t) => {
  t.equal(normalHttpUri('https://h.example/a%2fb%c3%a9'), 'https://h.example/a%2Fb%C3%A9')
})

const texts = fc.oneof(
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
  fc.string({ unit: fc.constantFrom(...'/.%2eE:@?#\\ aA') }).map((rest) => `https://h.example${rest}`)
)

t.test('the normal form is its own, and is on the host that the text names', async () => {
  fc.assert(fc.property(texts, (text) => {
    const normal = normalHttpUri(text)
    if (normal === null) return true
    return normalHttpUri(normal) === normal && new URL(normal).origin === new URL(text).origin && !/[?#]/.test(normal)
  }), { numRuns: 2000 })
})
