import type { RequestListener } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import type { Teardown } from '../helpers/build-app.js'
import { json, serveDocuments } from '../helpers/document-server.js'
import { authorize, LOOPBACK, oauthApp } from '../helpers/oauth-app.js'

// PX-15: one user's links must not keep the places of everybody's documents for ever.

const raw = (text: string): RequestListener => (_request, response) => { response.socket?.end(text) }

const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
const answers: Record<string, RequestListener> = {
  'switch protocols': raw(switching),
  'announce an answer and leave': raw('HTTP/1.1 100 Continue\r\n\r\n'),
  'send half of it': raw('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{}'),
  'speak no HTTP': raw('220 ready\r\n'),
  'close at once': (_request, response) => { response.socket?.destroy() }
}

async function scene (t: Teardown, listener: RequestListener) {
  const server = await serveDocuments(t, listener, 'localhost')
  const { app } = await oauthApp(t, { routes: { clientDocuments: { agent: server.options.agent, loopback: true } } })
  const ask = async (path: string, user: string) =>
    (await authorize(app, { client_id: server.url(path).href, redirect_uri: LOOPBACK }, user)).statusCode
  return { server, ask }
}

for (const [what, listener] of Object.entries(answers)) {
  t.test(`fifty documents that ${what} leave room for everybody else`, async (t) => {
    const { server, ask } = await scene(t, listener)
    const places = Array.from({ length: 50 }, (_, place) => ask(`/evil/${place}`, `mallory-${place % 10}`))
    t.strictSame(new Set(await Promise.all(places)), new Set([400]))

    const good = server.url('/good').href
    server.answer(json({ client_id: good, client_name: 'Good', redirect_uris: [LOOPBACK] }))
    t.equal(await ask('/good', 'alice'), 200)
  })
}

t.test('one user alone does not take the places of all, however long his servers take', async (t) => {
  const waiting: Array<() => void> = []
  const { server, ask } = await scene(t, (_request, response) => { waiting.push(() => { response.destroy() }) })
  const places = Array.from({ length: 50 }, (_, place) => ask(`/slow/${place}`, 'mallory'))
  while (server.seen.length < 5) await setImmediate()

  const good = server.url('/good').href
  server.answer(json({ client_id: good, client_name: 'Good', redirect_uris: [LOOPBACK] }))
  t.equal(await ask('/good', 'alice'), 200)
  for (const end of waiting) end()
  const statuses = await Promise.all(places)
  t.equal(statuses.filter((status) => status === 503).length, 45)
  t.equal(await ask('/good', 'mallory'), 200, 'and he has room again')
})
