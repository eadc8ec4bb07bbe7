import fc from 'fast-check'
import t from 'tap'
import { readReturnTo } from '../../lib/identity/return-to.js'

const ORIGIN = 'https://mcp.example'

const REFUSED = {
  nothing: undefined,
  'an empty text': '',
  'another path': '/',
  'the sign-in page, which would come around': '/t1/sign-in',
  'the sign-out page': '/t1/sign-out',
  'a path that only begins alike': '/t1/authorized',
  'a path below': '/t1/authorize/consent',
  'a path that climbs': '/t1/authorize/../../evil',
  'an absolute URL': 'https://evil.example/t1/authorize',
  'an absolute URL of ours': 'https://mcp.example/t1/authorize',
  'a URL without a scheme': '//evil.example/t1/authorize',
  'three slashes': '///evil.example/t1/authorize',
  'backslashes, which browsers read as slashes': '\\\\evil.example/t1/authorize',
  'a slash and a backslash': '/\\evil.example/t1/authorize',
  'a script': 'javascript:alert(1)//t1/authorize',
  data: 'data:text/html,/t1/authorize',
  'a space before': ' /t1/authorize',
  'a tab inside, which browsers drop': '/\t/evil.example/t1/authorize',
  'a line break that would end the header': '/t1/authorize?a=b\r\nset-cookie: x=y',
  'a NUL': '/t1/authorize?\0',
  'a letter outside ASCII': '/t1/authorize?ü',
  'a space': '/t1/authorize? x',
  'a fragment': '/t1/authorize?a#b',
  'a fragment without a query': '/t1/authorize#@evil.example',
  'user and host': '/t1/authorize@evil.example',
  'the path in capitals': '/T1/AUTHORIZE',
  'the path encoded': '/t1/%61uthorize',
  'a semicolon': '/t1/authorize;x',
  'more than anybody sends': `/t1/authorize?${'a'.repeat(10_000)}`
}

for (const [what, target] of Object.entries(REFUSED)) {
  t.test(`nobody is sent to ${what}`, async (t) => {
    t.equal(readReturnTo(target, ['/t1/authorize', '/t1/device']), null)
  })
}

const KEPT = {
  'the authorization endpoint': '/t1/authorize',
  'an empty query': '/t1/authorize?',
  'a query as clients write it': '/t1/authorize?client_id=c&scope=a+b%20c&state=%2F%2Fevil.example&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fcb',
  'a URL in the query': '/t1/authorize?redirect_uri=https://client.example/cb&x=/\\',
  'a query that says a thing twice': '/t1/authorize?a=1&a=2&&=%zz'
}

for (const [what, target] of Object.entries(KEPT)) {
  t.test(`a browser may go back to ${what}, of which nothing is lost`, async (t) => {
    t.equal(readReturnTo(target, ['/t1/authorize', '/t1/device']), target)
  })
}

t.test('whatever is let through leads to the authorization endpoint on the origin of the page, unchanged', async () => {
  const piece = fc.oneof(
    fc.constantFrom('/authorize', '/', '//', '\\', '?', '#', '@', '..', ':', 'https://evil.example', '\t', '\n', '%2f', 'javascript:'),
    fc.string({ unit: 'binary', maxLength: 5 })
  )
  fc.assert(fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
    const target = readReturnTo(pieces.join(''), ['/authorize'])
    if (target === null) return true
    const url = new URL(target, `${ORIGIN}/sign-in`)
    return target === pieces.join('') && url.origin === ORIGIN && url.pathname === '/authorize' && url.hash === ''
  }), { numRuns: 5000 })
})

t.test('every query of printable ASCII comes back as it was', async () => {
  fc.assert(fc.property(fc.stringMatching(/^[!"$-~]{0,200}$/), (query) =>
    readReturnTo(`/authorize?${query}`, ['/authorize']) === `/authorize?${query}`))
})
