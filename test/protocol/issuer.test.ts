import t from 'tap'
import { assertIssuer, assertServerUrl, isLoopbackHost } from '../../lib/protocol/issuer.js'

t.test('loopback is localhost, 127.0.0.0/8 and ::1, and nothing that only looks like it', async (t) => {
  for (const host of ['localhost', 'LOCALHOST', '127.0.0.1', '127.255.0.3', '::1', '[::1]']) {
    t.equal(isLoopbackHost(host), true, host)
  }
  for (const host of ['', 'localhost.evil.example', 'evil-localhost', '127.0.0.1.evil', '128.0.0.1', '10.0.0.1', '[::2]', '0.0.0.0', '127.1']) {
    t.equal(isLoopbackHost(host), false, host)
  }
})

const ACCEPTED = ['https://h.example', 'https://h.example:8443', 'https://h.example/t1', 'https://h.example/a/b-c_d.e~f',
  'http://localhost:3000', 'http://127.0.0.1:3000/t1', 'http://[::1]:3000', 'https://127.0.0.1']

for (const issuer of ACCEPTED) {
  t.test(`${issuer} is an issuer`, async (t) => { t.doesNotThrow(() => { assertIssuer(issuer) }) })
}

const REFUSED: Record<string, string> = {
  'not a URL': 'h.example',
  'an empty text': '',
  'http outside of loopback': 'http://h.example',
  'another scheme': 'ftp://h.example',
  'a script': 'javascript:alert(1)',
  'a trailing slash': 'https://h.example/',
  'a trailing slash after a path': 'https://h.example/t1/',
  'a query': 'https://h.example?x=1',
  'an empty query': 'https://h.example?',
  'a fragment': 'https://h.example#x',
  'an empty fragment': 'https://h.example#',
  'a user': 'https://user@h.example',
  'a password': 'https://:secret@h.example',
  'upper case in the host': 'https://H.example',
  'upper case in the scheme': 'HTTPS://h.example',
  'the default port': 'https://h.example:443',
  'dot segments': 'https://h.example/a/../b',
  'an empty segment': 'https://h.example//a',
  'a path that a router would take for a parameter': 'https://h.example/:tenant',
  'a path that a router would take for a wildcard': 'https://h.example/*',
  'an escape in the path': 'https://h.example/%41',
  'a blank before it': ' https://h.example',
  'a backslash': 'https:\\\\h.example',
  'a line break': 'https://h.exa\nmple',
  'a letter outside of ASCII': 'https://hä.example'
}

for (const [name, issuer] of Object.entries(REFUSED)) {
  t.test(`an issuer with ${name} stops the boot`, async (t) => {
    t.throws(() => { assertIssuer(issuer) }, { name: 'TypeError', message: /^must / })
  })
}

t.test('the message says how it must be written', async (t) => {
  t.throws(() => { assertIssuer('https://H.example:443/t1') }, { message: 'must be written as https://h.example/t1' })
})

t.test('a server URL is answered parsed', async (t) => {
  t.equal(assertServerUrl('https://h.example/mcp').pathname, '/mcp')
})
