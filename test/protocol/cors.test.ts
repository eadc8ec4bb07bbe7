import t from 'tap'
import { guardedCors, guardedPreflight, PUBLIC_CORS, PUBLIC_PREFLIGHT } from '../../lib/protocol/cors.js'

const origin = 'https://app.example.com'
const STATIC = 'authorization, content-type, accept, mcp-protocol-version, mcp-session-id, mcp-method, mcp-name, ' +
  'last-event-id, dpop'
const allowed = (asked?: string) => guardedPreflight(origin, asked)['access-control-allow-headers']

t.test('a listed origin reads the headers that a client needs', async (t) => {
  t.same(guardedCors(origin), {
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'www-authenticate, mcp-session-id, dpop-nonce, mcp-protocol-version, retry-after'
  })
})

t.test('a preflight of a guarded route names every method and header of the protocol', async (t) => {
  t.match(guardedPreflight(origin), {
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'POST, GET, DELETE, OPTIONS',
    'access-control-allow-headers': STATIC
  })
})

t.test('headers for parameters of tools are reflected', async (t) => {
  t.equal(allowed('content-type, Mcp-Param-Region,mcp-param-a-1'), `${STATIC}, mcp-param-region, mcp-param-a-1`)
})

for (const asked of ['x-evil', 'mcp-param-', 'mcp-param-a b', 'mcp-param-\u00E9', 'x-mcp-param-a', 'mcp-param-a_b', '*', '']) {
  t.test(`${JSON.stringify(asked)} is not reflected`, async (t) => {
    t.equal(allowed(asked), STATIC)
  })
}

t.test('a name is reflected once, and no more than a hundred are', async (t) => {
  const many = Array.from({ length: 5000 }, (_, index) => `mcp-param-p${index}`).join(',')

  t.equal(allowed('mcp-param-a, mcp-param-a'), `${STATIC}, mcp-param-a`)
  t.equal(allowed(many)?.split(', ').length, STATIC.split(', ').length + 100)
})

t.test('nothing allows cookies along', async (t) => {
  for (const headers of [guardedCors(origin), guardedPreflight(origin), PUBLIC_CORS, PUBLIC_PREFLIGHT]) {
    t.notOk('access-control-allow-credentials' in headers)
  }
})

t.test('what is public is public to every origin', async (t) => {
  t.equal(PUBLIC_CORS['access-control-allow-origin'], '*')
  t.equal(PUBLIC_PREFLIGHT['access-control-allow-origin'], '*')
  t.match(PUBLIC_PREFLIGHT['access-control-allow-headers'], /\bmcp-protocol-version\b/)
})
