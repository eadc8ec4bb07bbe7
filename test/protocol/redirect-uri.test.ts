import fc from 'fast-check'
import t from 'tap'
import {
  buildRedirect, isLoopbackRedirect, isPrivateUseScheme, matchRedirectUri, readRedirectUri, redirectFormAction,
  redirectHost
} from '../../lib/protocol/redirect-uri.js'

const schemes = ['cursor', 'com.example.app']

const ACCEPTED = ['https://c.example/cb', 'https://c.example', 'https://c.example:8443/cb?x=1&y=%20', 'http://localhost/cb',
  'http://localhost:6274/oauth/callback', 'http://127.0.0.1:33418/', 'http://127.0.0.1', 'http://[::1]:8080/cb',
  'https://localhost/cb', 'cursor://anysphere.cursor-retrieval/oauth/callback', 'com.example.app:/cb',
  'https://claude.ai/api/mcp/auth_callback', 'HTTPS://C.example/cb']

for (const uri of ACCEPTED) {
  t.test(`${uri} may be registered`, async (t) => { t.equal(readRedirectUri(uri, { schemes }), uri) })
}

const REFUSED: Record<string, string> = {
  'an empty text': '',
  'a path': '/cb',
  'a host without scheme': 'c.example/cb',
  'http outside of loopback': 'http://c.example/cb',
  'http on a name that begins like loopback': 'http://127.0.0.1.evil.example/cb',
  'http on a name that begins like localhost': 'http://localhost.evil.example/cb',
  'http on a loopback address in another notation': 'http://2130706433/cb',
  'http on a private address': 'http://192.168.0.1/cb',
  'a script': 'javascript:alert(1)',
  'a script in mixed case': 'JaVaScRiPt:alert(1)',
  'a script behind a line break': 'java\nscript:alert(1)',
  'a script behind a blank': ' javascript:alert(1)',
  'a document': 'data:text/html,x',
  'a file': 'file:///etc/passwd',
  'a script of old': 'vbscript:x',
  'a blob': 'blob:https://c.example/x',
  'an about page': 'about:blank',
  'a socket': 'wss://c.example/cb',
  'a private-use scheme that is not listed': 'vscode://x/cb',
  'a fragment': 'https://c.example/cb#x',
  'an empty fragment': 'https://c.example/cb#',
  'a user': 'https://c.example@evil.example/cb',
  'an empty user': 'https://@c.example/cb',
  'a password': 'https://:x@c.example/cb',
  'a user on loopback': 'http://x@127.0.0.1/cb',
  'a user in a private-use URI': 'cursor://user@host/cb',
  'one slash': 'https:/c.example/cb',
  'no slash': 'https:c.example/cb',
  'three slashes': 'https:///c.example/cb',
  'a backslash': 'https://c.example\\@evil.example/cb',
  'a blank': 'https://c.example/c b',
  'a tab': 'https://c.exam\tple/cb',
  'a quote': 'https://c.example/"',
  markup: 'https://c.example/<b>',
  'a letter outside of ASCII': 'https://c.example/käse',
  'a right-to-left override': 'https://c.example/\u202e',
  'a lone surrogate': 'https://c.example/\ud800',
  NUL: 'https://c.example/\0',
  'a host that is none': 'https://[zz]/cb',
  'a wildcard': 'https://*.example/cb',
  'a host that looks like the query of another one': 'https://c.example&x=.evil.example/cb',
  'two hosts': 'https://c.example,evil.example/cb',
  'an escape in the host': 'https://c%2eexample/cb',
  'a colon without a port': 'https://c.example:/cb',
  'a port that is none': 'https://c.example:99999/cb',
  'a code in the query': 'https://c.example/cb?code=x',
  'an issuer in the query': 'https://c.example/cb?a=1&iss=https://evil.example',
  'a state in the query, escaped': 'https://c.example/cb?st%61te=x',
  'two thousand characters too many': `https://c.example/${'x'.repeat(2048)}`
}

for (const [name, uri] of Object.entries(REFUSED)) {
  t.test(`a redirect URI with ${name} is refused as invalid_redirect_uri`, async (t) => {
    t.throws(() => readRedirectUri(uri, { schemes }), { code: 'invalid_redirect_uri' })
  })
}

t.test('a redirect URI of 2048 characters may be registered', async (t) => {
  const uri = 'https://c.example/'.padEnd(2048, 'x')

  t.equal(readRedirectUri(uri, { schemes }), uri)
})

t.test('script schemes are refused even where the operator lists them', async (t) => {
  for (const uri of ['javascript:alert(1)', 'data:text/html,x', 'file:///x', 'blob:x', 'vbscript:x', 'about:blank']) {
    const scheme = uri.slice(0, uri.indexOf(':'))
    t.throws(() => readRedirectUri(uri, { schemes: [scheme] }), { code: 'invalid_redirect_uri' })
  }
})

t.test('a private-use scheme is lower case, without colon, and not one that means something else', async (t) => {
  for (const scheme of ['cursor', 'vscode-insiders', 'com.example.app']) t.equal(isPrivateUseScheme(scheme), true)
  for (const scheme of ['Cursor', 'cursor:', '', 'c', '1a', 'http', 'https', 'javascript', 'data', 'ftp', 'a b']) {
    t.equal(isPrivateUseScheme(scheme), false, scheme)
  }
})

const registered = ['http://127.0.0.1/cb', 'https://c.example/cb', 'http://localhost:3000/cb?x=1', 'http://[::1]/cb', 'cursor://x/cb']

const MATCHES = ['http://127.0.0.1/cb', 'http://127.0.0.1:54321/cb', 'https://c.example/cb', 'http://localhost:3000/cb?x=1',
  'http://localhost:9/cb?x=1', 'http://localhost/cb?x=1', 'http://[::1]:8080/cb', 'cursor://x/cb']

for (const requested of MATCHES) {
  t.test(`${requested} is registered`, async (t) => {
    t.equal(matchRedirectUri({ registered, requested, localhostAnyPort: true }), true)
  })
}

const MISMATCHES = ['', 'http://127.0.0.1:1/cb/../x', 'http://127.0.0.1.evil/cb', 'http://localhost:1/cb', 'http://localhost:1/cb?x=2',
  'http://127.0.0.1:1/cb?', 'http://127.0.0.1:1/cb/', 'http://127.0.0.1:1/CB', 'http://127.0.0.2/cb', 'https://127.0.0.1/cb',
  'http://127.0.0.1:99999/cb', 'http://127.0.0.1:/cb', 'http://127.0.0.1:1@evil.example/cb', 'http://x@127.0.0.1/cb',
  'http://127.0.0.1:1\\@evil.example/cb', 'http://[::1]:1@evil/cb', 'https://c.example:444/cb', 'https://c.example:443/cb',
  'https://c.example/cb?x', 'https://c.example/cb/', 'https://c.example/cb#x', 'https://c.example@evil/cb', 'https://C.example/cb',
  'https://c.example/cb/../cb', 'https://c.example.evil/cb', 'https://evil.example/https://c.example/cb', 'cursor://x/cb/2', 'cursor://x:1/cb',
  'https://evil.example/http://127.0.0.1:1/cb', 'javascript:x//http://127.0.0.1:1/cb',
  'javascript:alert(1)', 'http://127.0.0.1:1/cb#x', 'HTTP://127.0.0.1:1/cb', 'http://127.0.0.1/cb\n']

for (const requested of MISMATCHES) {
  t.test(`${JSON.stringify(requested)} is not registered`, async (t) => {
    t.equal(matchRedirectUri({ registered, requested, localhostAnyPort: true }), false)
  })
}

t.test('without the leniency localhost matches with its own port only, loopback addresses with any', async (t) => {
  const match = (requested: string): boolean => matchRedirectUri({ registered, requested, localhostAnyPort: false })

  t.equal(match('http://localhost:3000/cb?x=1'), true)
  t.equal(match('http://localhost:9/cb?x=1'), false)
  t.equal(match('http://127.0.0.1:9/cb'), true)
  t.equal(match('http://[::1]:9/cb'), true)
})

t.test('nothing matches when nothing is registered', async (t) => {
  t.equal(matchRedirectUri({ registered: [], requested: 'http://127.0.0.1/cb', localhostAnyPort: true }), false)
})

const hosts = fc.constantFrom('127.0.0.1', 'localhost', '[::1]', '127.0.0.1.evil', 'localhost.evil', 'c.example', 'x@127.0.0.1')
const ports = fc.constantFrom('', ':1', ':8080', ':65536', ':', ':80a', ':1@evil.example')
const paths = fc.constantFrom('', '/', '/cb', '/cb/', '/cb?x=1', '/cb?x=1#f', '/cb/..', '\\cb')
const uris = fc.tuple(fc.constantFrom('http://', 'https://', 'HTTP://', 'javascript:'), hosts, ports, paths)
  .map((parts) => parts.join(''))

const isAcceptable = (uri: string): boolean => {
  try {
    return readRedirectUri(uri, { schemes: [] }) === uri
  } catch {
    return false
  }
}

const leadsToTheSame = (a: string, b: string): boolean => {
  const [one, other] = [new URL(a), new URL(b)]
  if (isLoopbackRedirect(a) && one.protocol === 'http:') one.port = other.port = ''
  return one.href === other.href && other.username === ''
}

t.test('what matches is the registered URI as every URL parser sees it, but for the port on loopback', async () => {
  fc.assert(fc.property(fc.array(uris, { maxLength: 4 }), uris, fc.boolean(), (some, requested, localhostAnyPort) => {
    const registered = some.filter(isAcceptable)
    if (!matchRedirectUri({ registered, requested, localhostAnyPort })) return !registered.includes(requested)
    return registered.some((uri) => leadsToTheSame(uri, requested))
  }), { numRuns: 5000 })
})

t.test('a registered URI always matches itself', async () => {
  fc.assert(fc.property(uris, fc.boolean(), (uri, localhostAnyPort) =>
    matchRedirectUri({ registered: ['https://other.example', uri], requested: uri, localhostAnyPort })))
})

t.test('a loopback redirect stays on the machine of the user', async (t) => {
  for (const uri of ['http://localhost:1/cb', 'http://127.0.0.1/cb', 'http://[::1]/cb', 'https://localhost/cb']) {
    t.equal(isLoopbackRedirect(uri), true, uri)
  }
  for (const uri of ['https://c.example/cb', 'cursor://localhost/cb', 'https://localhost.evil.example/']) {
    t.equal(isLoopbackRedirect(uri), false, uri)
  }
})

t.test('people are shown the host, or the scheme of an application', async (t) => {
  t.equal(redirectHost('https://c.example/cb'), 'c.example')
  t.equal(redirectHost('https://C.example:8443/cb'), 'c.example:8443')
  t.equal(redirectHost('http://127.0.0.1:3000/cb'), '127.0.0.1:3000')
  t.equal(redirectHost('https://%65vil.example/cb'), 'evil.example')
  t.equal(redirectHost('cursor://c.example/cb'), 'cursor:')
})

t.test('a form may lead to the origin, or where CSP cannot name it, to the scheme', async (t) => {
  t.equal(redirectFormAction('https://c.example:8443/cb?x'), 'https://c.example:8443')
  t.equal(redirectFormAction('http://127.0.0.1:3000/cb'), 'http://127.0.0.1:3000')
  t.equal(redirectFormAction('http://[::1]:3000/cb'), 'http:')
  t.equal(redirectFormAction('cursor://x/cb'), 'cursor:')
})

t.test('the answer is appended, the registered query stays as it is', async (t) => {
  t.equal(buildRedirect('https://c.example/cb', { code: 'c', state: 's' }), 'https://c.example/cb?code=c&state=s')
  t.equal(buildRedirect('https://c.example/cb?a=b+c%20d', { code: 'c' }), 'https://c.example/cb?a=b+c%20d&code=c')
  t.equal(buildRedirect('https://c.example/cb?', { code: 'c' }), 'https://c.example/cb?code=c')
  t.equal(buildRedirect('https://c.example/cb?a&', { code: 'c' }), 'https://c.example/cb?a&code=c')
  t.equal(buildRedirect('com.example.app:/cb', { code: 'c' }), 'com.example.app:/cb?code=c')
})

t.test('what is undefined is left out', async (t) => {
  t.equal(buildRedirect('https://c.example/cb', { code: 'c', state: undefined }), 'https://c.example/cb?code=c')
})

t.test('every value arrives byte by byte, and cannot add a parameter of its own', async () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (state, code) => {
    const location = buildRedirect('https://c.example/cb?x=1', { code, state, iss: 'https://h.example' })
    const { searchParams, hash } = new URL(location)
    const byEscapes = /[?&]state=([^&]*)/.exec(location)?.[1]
    return searchParams.get('state') === state && searchParams.get('code') === code && hash === '' &&
      searchParams.getAll('iss').length === 1 && searchParams.size === 4 &&
      decodeURIComponent(byEscapes ?? '') === state && /^[\x21-\x7e]+$/.test(location)
  }))
})
