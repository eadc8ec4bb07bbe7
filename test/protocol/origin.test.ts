import fc from 'fast-check'
import t from 'tap'
import { parseHost, parseOrigin } from '../../lib/protocol/origin.js'

const ORIGINS: Record<string, string> = {
  'https://h.example': 'https://h.example',
  'https://H.Example:443': 'https://h.example',
  'HTTP://h.example:80': 'http://h.example',
  'https://h.example:80': 'https://h.example:80',
  'http://localhost:3000': 'http://localhost:3000',
  'http://[::1]:3000': 'http://[::1]:3000',
  'http://[0:0:0:0:0:0:0:1]': 'http://[::1]',
  'https://h.example.': 'https://h.example.',
  'vscode-webview://AbC123': 'vscode-webview://abc123',
  'chrome-extension://abcdef': 'chrome-extension://abcdef'
}

for (const [text, origin] of Object.entries(ORIGINS)) {
  t.test(`${text} is the origin ${origin}`, async (t) => { t.equal(parseOrigin(text), origin) })
}

const NO_ORIGINS: Record<string, string> = {
  'an empty text': '',
  null: 'null',
  'a host alone': 'h.example',
  'a slash at the end': 'https://h.example/',
  'a path': 'https://h.example/mcp',
  'a query': 'https://h.example?x',
  'a fragment': 'https://h.example#x',
  'a user': 'https://h.example@evil.example',
  'a port that is none': 'https://h.example:99999',
  'a port that is a word': 'https://h.example:port',
  'two origins': 'https://h.example https://evil.example',
  'two origins with a comma': 'https://h.example, https://evil.example',
  'a backslash': 'https:\\\\h.example',
  'no host': 'https://',
  'a colon for a host': 'https://:80',
  'a port for a host of an extension': 'chrome-extension://:80',
  'a file': 'file://',
  'the file of a host': 'file:///etc',
  'a file URL of localhost': 'file://localhost',
  'a wildcard': 'https://*.example',
  'a blank before it': ' https://h.example',
  'a line break': 'https://h.example\n',
  'a letter outside of ASCII': 'https://hä.example',
  'a script': 'javascript:alert(1)',
  'three hundred characters too many': `https://${'x'.repeat(300)}`
}

for (const [name, text] of Object.entries(NO_ORIGINS)) {
  t.test(`${name} is no origin`, async (t) => { t.equal(parseOrigin(text), null) })
}

const HOSTS: Record<string, string> = {
  'h.example': 'h.example',
  'H.Example': 'h.example',
  'h.example.': 'h.example',
  'h.example:443': 'h.example',
  'h.example:80': 'h.example',
  'h.example.:8080': 'h.example:8080',
  'localhost:3000': 'localhost:3000',
  '127.0.0.1:3000': '127.0.0.1:3000',
  '[::1]:3000': '[::1]:3000',
  '[::1]': '[::1]',
  '[0:0:0:0:0:0:0:1]:3000': '[::1]:3000'
}

for (const [text, host] of Object.entries(HOSTS)) {
  t.test(`${text} is the host ${host}`, async (t) => { t.equal(parseHost(text), host) })
}

const NO_HOSTS: Record<string, string> = {
  'an empty text': '',
  'a dot': '.',
  'two dots at the end': 'h.example..',
  'a dot at the beginning': '.example',
  'a port alone': ':80',
  'a user': 'localhost:80@evil.example',
  'a user without port': 'localhost@evil.example',
  'a port that is a word': 'evil:port',
  'a port that is none': 'h.example:99999',
  'an empty port': 'h.example:',
  'two ports': 'h.example:80:80',
  'a path': 'h.example/mcp',
  'a URL': 'https://h.example',
  'two hosts': 'h.example, evil.example',
  'two hosts with a blank': 'h.example evil.example',
  'a backslash': 'h.example\\evil',
  'an address without brackets': '::1',
  'an open bracket': '[::1',
  'an address with a zone': '[fe80::1%25eth0]',
  'an address that is none': '[:::]',
  'a number that is no address': '1.2.3.999',
  'a wildcard': '*.example',
  'an escape': 'h%2eexample',
  'a NUL': 'h.example\0',
  'a line break': 'h.example\n',
  'a letter outside of ASCII': 'hä.example',
  'three hundred characters too many': 'x'.repeat(301)
}

for (const [name, text] of Object.entries(NO_HOSTS)) {
  t.test(`${name} is no host`, async (t) => { t.equal(parseHost(text), null) })
}

const pieces = fc.array(fc.constantFrom('http', 'https', 'file', '://', ':', '/', 'localhost', 'Evil.example', '.', '@', '[::1]', ':80', ':443',
  ':99999', '%2e', ',', ' ', 'null', '\\', '*'), { maxLength: 6 }).map((parts) => parts.join(''))

t.test('whatever is sent, an origin is its own canonical form and has neither path nor user', async () => {
  fc.assert(fc.property(pieces, (text) => {
    const origin = parseOrigin(text)
    return origin === null || (parseOrigin(origin) === origin && /^[a-z][a-z0-9+.-]*:\/\/[^/?#@\\\s]+$/.test(origin))
  }), { numRuns: 2000 })
})

t.test('whatever is sent, a host is its own canonical form and what a URL parser would go to', async () => {
  fc.assert(fc.property(pieces, (text) => {
    const host = parseHost(text)
    return host === null || (parseHost(host) === host && new URL(`https://${host}:1`.replace(/(:\d+):1$/, '$1')).hostname !== '')
  }), { numRuns: 2000 })
})
