import { request, type IncomingMessage } from 'node:http'
import { connect, createServer, type AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { once } from 'node:events'
import t from 'tap'
import type { AuthenticationOptions } from '../../types/guard.js'
import { scopeGuard } from '../../lib/plugins/scope-guard.js'
import { buildApp, type Teardown } from '../helpers/build-app.js'
import { callTool, guardOptions } from '../helpers/guard.js'
import { guardedApp } from '../helpers/guarded-app.js'

// Authentication off is for whoever sits at the machine (TR-2, TR-3, RS-10, mistakes 14 and 17), and nobody else.

const off: AuthenticationOptions = { enabled: false, anonymous: { scopes: ['notes:read'] } }

async function listening (t: Teardown) {
  const guarded = await guardedApp(t, { authentication: off })
  await guarded.app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = guarded.app.server.address() as AddressInfo
  return { ...guarded, port }
}

/** Sends a message over a connection of its own, with these header lines as they are. */
async function send (port: number, headers: Record<string, string>, name = 'search', host = '127.0.0.1'): Promise<number> {
  const sent = request({
    port, host, method: 'POST', path: '/mcp', agent: false, headers: { 'content-type': 'application/json', ...headers }
  }).end(JSON.stringify(callTool(name)))
  const [answer] = await once(sent, 'response')
  answer.resume()
  return answer.statusCode
}

t.test('whoever sits at the machine reaches what local policy names, and nothing else', async (t) => {
  const { port, handled } = await listening(t)

  t.equal(await send(port, {}), 200)
  t.equal(await send(port, {}, 'delete'), 403)
  t.equal(await send(port, {}, 'drop_tables'), 403)
  t.equal(handled.length, 1)
})

const attacks: Record<string, Record<string, string>> = {
  'a web page by DNS rebinding': { host: 'evil.example' },
  'a web page by DNS rebinding, with a port': { host: 'evil.example:3000' },
  'a name that begins like ours': { host: 'localhost.evil.example' },
  'a web page of another site': { origin: 'https://evil.example' },
  'a sandboxed page': { origin: 'null' },
  'an image of another site': { 'sec-fetch-site': 'cross-site' },
  'somebody behind a proxy': { 'x-forwarded-for': '10.0.0.8' },
  'somebody behind a proxy who says loopback': { 'x-forwarded-for': '127.0.0.1' },
  'somebody behind a proxy of the standard': { forwarded: 'for=127.0.0.1' },
  'somebody behind a tunnel': { 'cf-connecting-ip': '10.0.0.8' },
  'somebody behind a proxy that has a name of its own for it': { 'x-client-ip': '10.0.0.8' },
  'somebody behind a proxy that says which port was asked': { 'x-forwarded-port': '443' },
  'somebody with a forged token': { authorization: 'Bearer forged' }
}

for (const [who, headers] of Object.entries(attacks)) {
  t.test(`${who} is 401, and nothing runs`, async (t) => {
    const { port, events, handled } = await listening(t)

    t.equal(await send(port, headers), 401)
    t.strictSame(handled, [])
    t.match(events.at(-1), { type: 'access.denied', outcome: 'denied' })
  })
}

t.test('somebody behind a proxy as it comes, which says nothing, is 401, and nothing runs', async (t) => {
  const { app, port, handled } = await listening(t)
  const body = JSON.stringify(callTool('search'))
  const socket = connect(port, '127.0.0.1')
  // What nginx writes for `proxy_pass http://127.0.0.1:3000` and not a word more.
  socket.end([
    'POST /mcp HTTP/1.0', `Host: 127.0.0.1:${port}`, 'Connection: close', 'Content-Type: application/json',
    `Content-Length: ${body.length}`, '', body
  ].join('\r\n'))
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)

  t.match(answer, /^HTTP\/1\.[01] 401 /)
  t.strictSame(handled, [])
  t.equal(app.mcpAuthentication.enabled, false)
})

const [address] = Object.values(networkInterfaces()).flatMap((found) => found ?? [])
  .filter(({ internal, family }) => !internal && family === 'IPv4').map(({ address }) => address)

const skip = address === undefined && 'this machine has no address beyond loopback'

t.test('an app that listens everywhere before it is switched off cannot be', { skip }, async (t) => {
  const { app, handled } = await guardedApp(t, { authentication: { ...off, enabled: true } })
  await app.listen({ port: 0, host: '0.0.0.0' })
  const { port } = app.server.address() as AddressInfo

  t.throws(() => { app.mcpAuthentication.set(false) }, { code: 'MCPS_ERR_OPEN_SERVER' })
  t.equal(await send(port, { host: 'localhost' }, 'search', String(address)), 401)
  t.strictSame(handled, [])
})

t.test('an app whose host listens by its own means is closed to everybody beyond loopback', { skip }, async (t) => {
  const { app, handled } = await guardedApp(t, { authentication: off })
  await app.ready()
  // A host with a server of its own, which hands its connections over: the watch on `listen` never sees it.
  const front = createServer((socket) => { app.server.emit('connection', socket) })
  t.teardown(() => { front.close() })
  front.listen(0, '0.0.0.0')
  await once(front, 'listening')
  const { port } = front.address() as AddressInfo

  t.equal(await send(port, { host: 'localhost' }, 'search', String(address)), 401)
  t.strictSame(handled, [])
  t.equal(await send(port, { host: 'localhost' }), 200)
})

t.test('a stream that begins after authentication was switched on is ended, though its request came before', async (t) => {
  const app = buildApp(t)
  await app.register(scopeGuard, guardOptions({ authentication: off, streamRecheck: 1 }))
  let begin = (): void => {}
  const begun = new Promise<void>((resolve) => { begin = resolve })
  app.post('/mcp', async () => ({}))
  app.get('/mcp', async (_request, reply) => {
    app.mcpAuthentication.set(true)
    await begun
    reply.hijack().raw.writeHead(200, { 'content-type': 'text/event-stream' }).write(': open\n\n')
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo

  const sent = request({ port, host: '127.0.0.1', path: '/mcp', agent: false }).end()
  begin()
  const [answer] = await once(sent, 'response') as [IncomingMessage]
  const closed = new Promise((resolve) => { answer.on('error', () => {}).on('close', resolve).resume() })

  t.equal(answer.statusCode, 200)
  await closed
})
