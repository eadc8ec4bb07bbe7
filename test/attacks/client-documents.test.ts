import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import t from 'tap'
import { PlainClient } from '../helpers/oauth-client.js'
import { startReferenceServer } from '../helpers/reference-server.js'

/** Whatever connects to it was led here. */
let connections = 0
const sink = createServer((socket) => {
  connections += 1
  socket.destroy()
}).listen(0, '127.0.0.1')
await once(sink, 'listening')
t.teardown(() => { sink.close() })
const { port } = sink.address() as AddressInfo

const server = await startReferenceServer(t)
const client = new PlainClient(server.origin)

/** What the user sees who opens a link with this client id, signed in or not. */
async function open (clientId: string): Promise<{ status: number, html: string }> {
  const url = client.authorizationUrl('v'.repeat(43))
  url.searchParams.set('client_id', clientId)
  const page = await client.browser.open(url)
  if (page instanceof URL) throw new Error('the browser was sent away')
  return page
}

const INTERNAL = [
  `https://127.0.0.1:${port}/c`, `https://localhost:${port}/c`, `https://[::1]:${port}/c`, `https://[::ffff:7f00:1]:${port}/c`,
  `https://2130706433:${port}/c`, `https://0x7f000001:${port}/c`, `https://0177.0.0.1:${port}/c`, `https://127.1:${port}/c`,
  'https://169.254.169.254/latest/meta-data', 'https://[::ffff:a9fe:a9fe]/c', 'https://10.0.0.1/c', 'https://0.0.0.0/c',
  `https://me@127.0.0.1:${port}/c`, `http://127.0.0.1:${port}/c`, `https://127.0.0.1:${port}`, 'https://127.0.0.1:22/c',
  'https://localhost:6379/c', 'https://localhost:5432/c', 'https://', 'https://%', `https://127.0.0.1:${port}/a/../c`
]

t.test('a stranger\'s link makes the server fetch nothing (PX-15, mistake 16)', async (t) => {
  for (const clientId of INTERNAL) {
    const { html } = await open(clientId)
    t.notMatch(html, /Allow access/, clientId)
  }
  t.equal(connections, 0)
})

t.test('a link that a user opens leads the server to nothing inside (PX-10, PX-11, mistake 16)', async (t) => {
  // Signs in first: a link to a good client.
  await client.signIn()
  const seen = new Set<string>()
  for (const clientId of INTERNAL) {
    const { status, html } = await open(clientId)
    t.equal(status, 400, clientId)
    t.notMatch(html, /<a |127\.0\.0\.1|169\.254/, clientId)
    seen.add(html.replace(/<code[^>]*>[^<]*<\/code>/g, ''))
  }
  t.equal(connections, 0)
  t.equal(seen.size, 1, 'every refusal looks the same')
})

t.test('the token and revocation endpoints fetch nothing at all (PX-15)', async (t) => {
  for (const clientId of INTERNAL.slice(0, 4)) {
    const exchange = await fetch(`${server.origin}/token`, {
      method: 'POST', body: new URLSearchParams({ grant_type: 'authorization_code', client_id: clientId, code: 'x', code_verifier: 'v'.repeat(43) })
    })
    t.match([exchange.status, await exchange.json()], [401, { error: 'invalid_client' }])
    const revocation = await fetch(`${server.origin}/revoke`, { method: 'POST', body: new URLSearchParams({ client_id: clientId, token: 'x' }) })
    t.equal(revocation.status, 401)
  }
  t.equal(connections, 0)
})
