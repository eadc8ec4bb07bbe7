import t from 'tap'
import { rawExchange } from '../helpers/raw-exchange.js'
import { startReferenceServer } from '../helpers/reference-server.js'

const window = 600
const server = await startReferenceServer(t, {
  account: false,
  configuration: {
    rateLimits: { general: { max: 60, window }, sensitive: { max: 3, window }, registration: { max: 2, window } }
  }
})
const { host } = new URL(server.origin)
const send = async (first: string, lines: readonly string[] = [], body = '') =>
  await rawExchange(server.origin, [`${first} HTTP/1.1`, `Host: ${host}`, ...lines], body)

/** What a client might say about itself to be counted as somebody else. */
const disguises: readonly string[][] = [
  ['X-Forwarded-For: 203.0.113.1'], ['X-Forwarded-For: 203.0.113.2, 127.0.0.1'], ['Forwarded: for=203.0.113.3'],
  ['X-Real-IP: 203.0.113.4'], ['X-Client-IP: 203.0.113.5'], ['CF-Connecting-IP: 203.0.113.6'], ['True-Client-IP: 203.0.113.7'],
  ['X-Forwarded-For: ::1', 'X-Forwarded-For: 2001:db8::1'], ['Authorization: Bearer x'], ['Authorization: Basic eDp5'],
  ['User-Agent: another'], ['Cookie: __Host-mcp-browser=AAAAAAAAAAAAAAAAAAAAAA'], ['Origin: https://another.example'], ['X-Request-Id: 1']
]
const FORM = 'Content-Type: application/x-www-form-urlencoded'
const JSON_TYPE = 'Content-Type: application/json'

const tiers: Record<string, [string, string[], number]> = {
  'the token endpoint': ['POST /token', [FORM], 3],
  'the registration endpoint': ['POST /register', [JSON_TYPE], 2]
}

for (const [what, [first, lines, max]] of Object.entries(tiers)) {
  t.test(`${what} counts a client under every disguise as one, and says when to come back (AS-T15, TR-13, mistake 25)`, async (t) => {
    for (let count = 0; count < max; count += 1) t.not((await send(first, lines)).status, 429)
    for (const disguise of disguises) {
      const answer = await send(first, [...lines, ...disguise])

      t.equal(answer.status, 429, disguise.join())
      t.match(JSON.parse(answer.body), { error: 'too_many_requests', error_description: String })
      t.ok(Number(answer.headers.get('retry-after')?.[0]) > window / 2)
      t.strictSame(answer.headers.get('cache-control'), ['no-store'])
    }
  })
}

t.test('a limited endpoint is limited for the other ones of its tier, whatever the spelling, and no others', async (t) => {
  for (const first of ['POST /revoke', 'POST /token?x=1', 'POST /%74oken', `POST ${server.origin}/token`]) {
    t.equal((await send(first, [FORM])).status, 429, first)
  }
  t.equal((await send('GET /.well-known/oauth-authorization-server')).status, 200)
})

t.test('the MCP endpoint answers 429 in JSON-RPC, before it looks at a token (TR-13)', async (t) => {
  let answer = await send('POST /mcp')
  for (let count = 0; count < 60 && answer.status === 401; count += 1) answer = await send('POST /mcp')

  t.equal(answer.status, 429)
  t.match(JSON.parse(answer.body), { jsonrpc: '2.0', id: null, error: { code: -32000, message: /^Too many requests/ } })
  for (const disguise of disguises.filter(([line = '']) => !line.startsWith('Origin'))) {
    t.equal((await send('GET /mcp', disguise)).status, 429, disguise.join())
  }
  t.equal((await send('GET /healthz')).status, 200, 'what is outside of the scope is not counted')
})
