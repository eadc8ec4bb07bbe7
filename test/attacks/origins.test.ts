import t from 'tap'
import { PlainClient } from '../helpers/oauth-client.js'
import { rawExchange } from '../helpers/raw-exchange.js'
import { startReferenceServer } from '../helpers/reference-server.js'

const LISTED = 'https://app.example.com'
const server = await startReferenceServer(t, { configuration: { originGuard: { origins: [LISTED] } } })
const { host, port } = new URL(server.origin)
const { access_token: token } = await new PlainClient(server.origin).signIn({ scope: 'notes:read' })
const PING = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })

const send = async (method: string, lines: readonly string[], path = '/mcp') => await rawExchange(server.origin, [
  `${method} ${path} HTTP/1.1`, ...lines, `Authorization: Bearer ${token}`,
  'Content-Type: application/json', 'Accept: application/json, text/event-stream'
], method === 'POST' ? PING : '')

const foreignHosts: Record<string, string[]> = {
  'a foreign host': ['Host: evil.example'],
  'a foreign host on our port': [`Host: evil.example:${port}`],
  'a name below ours': [`Host: localhost.evil.example:${port}`],
  'our address as a name below theirs': [`Host: 127.0.0.1.evil.example:${port}`],
  'a user before theirs': ['Host: localhost:80@evil.example'],
  'a user before ours': [`Host: evil.example@${host}`],
  'no address at all': [`Host: 0.0.0.0:${port}`],
  'another address of IPv6': [`Host: [::ffff:7f00:1]:${port}`],
  'half an address of IPv6': ['Host: [::1'],
  'IPv6 without brackets': ['Host: ::1'],
  'a zone': ['Host: [::1%25lo]'],
  'a port that is none': ['Host: localhost:http'],
  'a port too large': ['Host: localhost:99999'],
  'two hosts': [`Host: ${host}, evil.example`],
  'a path': [`Host: ${host}/evil`],
  'a backslash': [`Host: ${host}\\evil.example`],
  'two dots at the end': ['Host: localhost..'],
  'only a dot': ['Host: .'],
  nothing: ['Host:'],
  'two lines': [`Host: ${host}`, 'Host: evil.example'],
  'two lines of our own': [`Host: ${host}`, `host: ${host}`],
  'a name in other letters of Unicode': [`Host: l\u00f6calhost:${port}`],
  'a name that looks like ours': [`Host: xn--loalhost-6fg:${port}`],
  'a forwarded host': ['Host: evil.example', `X-Forwarded-Host: ${host}`, `Forwarded: host=${host}`]
}

t.test('a request under a name that is not ours gets nowhere (TR-2, mistakes 5, 14)', async (t) => {
  for (const [what, lines] of Object.entries(foreignHosts)) {
    for (const method of ['POST', 'GET', 'DELETE', 'OPTIONS']) {
      const answer = await send(method, lines)
      t.ok([400, 403].includes(answer.status), `${what}: ${method} ${answer.status}`)
      t.notMatch(answer.body, 'evil')
    }
    const metadata = await rawExchange(server.origin, ['GET /.well-known/oauth-protected-resource HTTP/1.1', ...lines])
    t.ok([400, 403].includes(metadata.status), `${what}: metadata ${metadata.status}`)
  }
  t.equal((await rawExchange(server.origin, ['POST http://evil.example/mcp HTTP/1.1', `Host: ${host}`])).status, 403, 'a target')
  t.equal((await rawExchange(server.origin, [`POST http://${host}/mcp HTTP/1.1`, 'Host: evil.example'])).status, 403, 'a host beside our target')
})

t.test('every name of loopback is ours', async (t) => {
  for (const name of ['localhost', 'LOCALHOST', 'localhost.', '127.0.0.1', '127.1.2.3', '[::1]']) {
    t.equal((await send('POST', [`Host: ${name}:${port}`])).status, 200, name)
  }
})

const foreignOrigins = [
  'https://evil.example', 'null', 'http://localhost.evil.example', `http://127.0.0.1.evil.example:${port}`, 'http://127.0.0.1:9',
  `https://127.0.0.1:${port}`, `http://localhost:${port}`, `http://127.0.0.1:${port}/`, `http://127.0.0.1:${port}@evil.example`,
  `http://evil.example@127.0.0.1:${port}`, `http://127.0.0.1:${port}#`, `http://127.0.0.1:${port}?`, `//127.0.0.1:${port}`, `127.0.0.1:${port}`,
  'https://app.example.com.evil.example', 'https://evil.example/https://app.example.com', 'https://app.example.com:444',
  'http://app.example.com', 'https://xapp.example.com', 'https://app.example.com.', 'https://app.example.com https://evil.example',
  'https://app.example.com, https://evil.example', 'https://app.example.com\\evil', 'https://\u00e0pp.example.com', 'https://app%2eexample.com',
  'https://*.example.com', '*', '', 'file://', 'data:,x', 'chrome-extension://abc', 'blob:https://app.example.com/x', 'x'.repeat(5000)
]

t.test('a page of another origin gets nowhere, and reads nothing (TR-1, TR-12, mistake 14)', async (t) => {
  for (const origin of foreignOrigins) {
    for (const [method, more] of [['POST', []], ['GET', []], ['DELETE', []], ['OPTIONS', ['Access-Control-Request-Method: POST']]] as const) {
      const answer = await send(method, [`Host: ${host}`, `Origin: ${origin}`, ...more])

      t.equal(answer.status, 403, `${method} ${origin.slice(0, 60)}`)
      t.match(JSON.parse(answer.body), { jsonrpc: '2.0', error: { code: -32000, message: 'The origin is not allowed' }, id: null })
      t.notOk(answer.headers.has('access-control-allow-origin'))
    }
  }
  const twice = await send('POST', [`Host: ${host}`, `Origin: ${LISTED}`, 'Origin: https://evil.example'])
  t.equal(twice.status, 403, 'two lines')
})

t.test('a page of a listed origin reads answers and refusals, without cookies (TR-12)', async (t) => {
  for (const [lines, status] of [[[], 200], [['Authorization: Bearer x'], 400]] as const) {
    const answer = await send('POST', [`Host: ${host}`, `Origin: ${LISTED}`, ...lines])

    t.equal(answer.status, status)
    t.strictSame(answer.headers.get('access-control-allow-origin'), [LISTED])
    t.match(answer.headers.get('access-control-expose-headers'), [/www-authenticate/])
    t.match(answer.headers.get('vary'), [/Origin/])
    t.notOk(answer.headers.has('access-control-allow-credentials'))
  }
})

t.test('of the headers that a preflight asks for only those of tool parameters are reflected (TR-12)', async (t) => {
  const asked = 'Cookie, X-Evil, mcp-param-region, mcp-param-a b, mcp-param-ü, MCP-Param-Zone, Set-Cookie'
  const answer = await send('OPTIONS', [
    `Host: ${host}`, `Origin: ${LISTED}`, 'Access-Control-Request-Method: POST', `Access-Control-Request-Headers: ${asked}`
  ])
  const [allowed = ''] = answer.headers.get('access-control-allow-headers') ?? []

  t.equal(answer.status, 204)
  t.match(allowed, /, mcp-param-region, mcp-param-zone$/)
  t.notMatch(allowed, /cookie|evil|mcp-param-a/i)
})

t.test('no cookie page may be read by another origin (AS-A13)', async (t) => {
  for (const path of ['/authorize', '/sign-in', '/consent']) {
    const answer = await rawExchange(server.origin, [`GET ${path} HTTP/1.1`, `Host: ${host}`, `Origin: ${LISTED}`])
    t.notOk(answer.headers.has('access-control-allow-origin'), path)
  }
})
