import fc from 'fast-check'
import t from 'tap'
import { buildHostCheck, buildOriginList, isListedOrigin, readHosts } from '../../lib/protocol/allow-lists.js'

const remote = { issuer: 'https://auth.example.com', resource: 'https://mcp.example.com:8443/mcp' }
const local = { issuer: 'http://127.0.0.1:3000', resource: 'http://127.0.0.1:3000/mcp' }

t.test('the origin list holds what was listed and the own origins', async (t) => {
  t.same([...buildOriginList(['HTTPS://App.Example.com:443'], remote)].sort(), [
    'https://app.example.com', 'https://auth.example.com', 'https://mcp.example.com:8443'
  ])
  t.same([...buildOriginList([])], [])
})

for (const wrong of ['app.example.com', 'https://app.example.com/', 'null', '*', 'https://*.example.com', '']) {
  t.test(`${JSON.stringify(wrong)} cannot be listed as an origin`, async (t) => {
    t.throws(() => buildOriginList(['https://a.example', wrong]), { name: 'TypeError', message: /^origins\.1 must be/ })
  })
}

const origins = buildOriginList(['https://app.example.com', 'http://localhost:6274'], remote)

for (const origin of [
  'https://app.example.com', 'https://app.example.com:443', 'HTTPS://APP.EXAMPLE.COM', 'http://localhost:6274',
  'https://mcp.example.com:8443'
]) {
  t.test(`${origin} is a listed origin`, async (t) => {
    t.equal(isListedOrigin(origins, origin), true)
  })
}

for (const origin of [
  'null', '', 'https://app.example.com.evil.example', 'https://evil.example', 'https://app.example.com:444',
  'http://app.example.com', 'https://app.example.com/', 'https://user@app.example.com', 'http://localhost.evil.com',
  'http://127.0.0.1:9999', 'http://localhost', 'https://app.example.com, https://evil.example', 'https://mcp.example.com',
  'https://sub.app.example.com', 'https://app.example.co', 'app.example.com', 'https://app.example.com\0'
]) {
  t.test(`${JSON.stringify(origin)} is not a listed origin`, async (t) => {
    t.equal(isListedOrigin(origins, origin), false)
  })
}

t.test('hosts of the issuer, the resource and the list are ours, however they are written', async (t) => {
  const isOurs = buildHostCheck(['internal:8080', '[2001:db8::1]:3000'], remote)

  for (const host of [
    'auth.example.com', 'AUTH.example.com', 'auth.example.com.', 'auth.example.com:443', 'mcp.example.com:8443',
    'internal:8080', '[2001:db8::1]:3000', '[2001:DB8:0::1]:3000'
  ]) t.equal(isOurs(host), true, host)
})

t.test('no other host is ours', async (t) => {
  const isOurs = buildHostCheck(['internal:8080'], remote)

  for (const host of [
    '', 'evil.example', 'evil.example:443', 'mcp.example.com', 'mcp.example.com:8444', 'auth.example.com.evil.example',
    'auth.example.com:80@evil.example', 'user@auth.example.com', 'auth.example.com, evil.example', ' auth.example.com',
    'localhost', '127.0.0.1', '[::1]', 'internal', 'auth.example.com:', 'auth.example.com/..', '*'
  ]) t.equal(isOurs(host), false, host)
})

t.test('a server on loopback is reached by every loopback name at any port', async (t) => {
  const isOurs = buildHostCheck([], local)

  for (const host of ['localhost', 'LOCALHOST:8080', 'localhost.:1', '127.0.0.1:3000', '127.0.0.53', '[::1]', '[::1]:9']) {
    t.equal(isOurs(host), true, host)
  }
})

t.test('a rebound name is not a loopback name', async (t) => {
  const isOurs = buildHostCheck([], local)

  for (const host of ['localhost.evil.example', 'evil.example:3000', '127.0.0.1.nip.io', 'localhost:80@evil', '0.0.0.0:3000',
    '2130706433x', '[::ffff:1.2.3.4]']) {
    t.equal(isOurs(host), false, host)
  }
})

t.test('an answer does not depend on what was asked before', async () => {
  const isOurs = buildHostCheck([], local)
  const host = fc.oneof(
    fc.integer({ min: 1, max: 65535 }).map((port) => `LocalHost:${port}`),
    fc.string({ maxLength: 12 }),
    fc.domain()
  )
  fc.assert(fc.property(fc.array(host, { maxLength: 300 }), (hosts) => hosts.every((asked) =>
    isOurs(asked) === buildHostCheck([], local)(asked))), { numRuns: 30 })
})

t.test('a wrong entry in the list of hosts is named', async (t) => {
  t.throws(() => buildHostCheck(['https://mcp.example.com'], remote), { name: 'TypeError', message: /^hosts\.0 must be/ })
  t.throws(() => buildHostCheck(['ok.example', 'a b'], remote), { name: 'TypeError', message: /^hosts\.1 must be/ })
})

const READ = {
  'one line': { raw: ['Accept', '*/*', 'HOST', 'a.example'], url: '/mcp', hosts: ['a.example'] },
  'HTTP/2': { raw: [':authority', 'a.example'], url: '/mcp', hosts: ['a.example'] },
  'HTTP/2 with both': { raw: [':authority', 'a.example', 'host', 'b.example'], url: '/', hosts: ['b.example', 'a.example'] },
  'a target in absolute form': { raw: ['Host', 'a.example'], url: 'HTTP://b.example:80/mcp', hosts: ['a.example', 'b.example:80'] },
  'an absolute target with a user': { raw: ['Host', 'a.example'], url: 'http://u@b.example', hosts: ['a.example', 'u@b.example'] },
  'the server as a whole': { raw: ['Host', 'a.example'], url: '*', hosts: ['a.example'] },
  'no line': { raw: ['Hose', 'a.example'], url: '/mcp', hosts: null },
  'two lines': { raw: ['Host', 'a.example', 'host', 'a.example'], url: '/mcp', hosts: null },
  'a target that is no path': { raw: ['Host', 'a.example'], url: 'a.example:80', hosts: null },
  'no target': { raw: ['Host', 'a.example'], url: '', hosts: null },
  'a target of another scheme': { raw: ['Host', 'a.example'], url: 'ftp://a.example/', hosts: null }
}

for (const [name, { raw, url, hosts }] of Object.entries(READ)) {
  t.test(`${name}: ${hosts?.join(' and ') ?? 'refused'}`, async (t) => {
    t.same(readHosts(raw, url), hosts)
  })
}
