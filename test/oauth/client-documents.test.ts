import t from 'tap'
import { createClientDocuments, withDocuments, type ClientDocumentRules } from '../../lib/oauth/client-documents.js'
import { createClients } from '../../lib/oauth/clients.js'
import { StoreUnavailableError } from '../../lib/stores/errors.js'
import { memoryStore } from '../../lib/stores/memory.js'
import type { Teardown } from '../helpers/build-app.js'
import { json, serveDocuments } from '../helpers/document-server.js'
import { LIFETIMES, SECRETS, START } from '../helpers/token-context.js'

const refused = (reason: string) => ({ name: 'OAuthError', code: 'invalid_client', reason })
const documentOf = (url: URL, more: object = {}) =>
  ({ client_id: url.href, client_name: 'A client', redirect_uris: ['http://127.0.0.1:7777/cb'], ...more })

async function open (t: Teardown, rules: Partial<ClientDocumentRules> = {}) {
  const server = await serveDocuments(t, (_request, response) => { response.writeHead(404).end() })
  const url = server.url()
  const records = memoryStore()
  const documents = createClientDocuments({
    records, tenant: 'default', lifetimes: LIFETIMES, schemes: [], fetch: server.options, ...rules
  })
  return { server, url, records, documents, id: url.href }
}

t.test('a client is who its document says', async (t) => {
  const { server, url, documents, id } = await open(t)
  server.answer(json(documentOf(url)))
  t.match(await documents.read(id, 'alice', START), {
    clientId: id, origin: 'document', authenticationMethods: ['none'], secretDigests: [], issuedAt: START, metadata: { client_name: 'A client' }
  })
})

t.test('what was read once is found without a fetch, by every instance, and nothing else is (PX-15)', async (t) => {
  const { server, url, documents, id, records } = await open(t)
  server.answer(json(documentOf(url)))
  t.equal(await documents.find(id, START), null)
  const client = await documents.read(id, 'alice', START)
  const other = createClientDocuments({ records, tenant: 'default', lifetimes: LIFETIMES, schemes: [], fetch: {} })
  t.strictSame(await other.find(id, START), client)
  t.equal(server.seen.length, 1)
})

t.test('a document is asked for again when it is no longer fresh, and keeps the day of its first reading', async (t) => {
  const { server, url, documents, id } = await open(t)
  server.answer(json(documentOf(url), { 'cache-control': 'max-age=600' }))
  await documents.read(id, 'alice', START)
  server.answer(json(documentOf(url, { client_name: 'Another name' })))
  t.match(await documents.read(id, 'bob', START + 599), { metadata: { client_name: 'A client' } })
  t.match(await documents.read(id, 'bob', START + 600), { metadata: { client_name: 'Another name' }, issuedAt: START })
  t.equal(server.seen.length, 2)
})

t.test('ten who ask at once ask once', async (t) => {
  const { server, url, documents, id } = await open(t)
  server.answer(json(documentOf(url)))
  await Promise.all(Array.from({ length: 10 }, () => documents.read(id, 'alice', START)))
  t.equal(server.seen.length, 1)
})

t.test('what cannot be had or is not valid is unknown, and not asked for again at once (PX-14)', async (t) => {
  const { server, url, documents, id } = await open(t)
  await t.rejects(documents.read(id, 'alice', START), refused('client document: a status other than 200'))
  server.answer(json(documentOf(url)))
  await t.rejects(documents.read(id, 'alice', START + 29), refused('client document failed a moment ago'))
  t.equal(server.seen.length, 1)
  t.ok(await documents.read(id, 'alice', START + 30))

  server.answer(json(documentOf(new URL('https://other.example/c'))))
  await t.rejects(documents.read(id, 'alice', START + 4000), refused('client document of another client'))
})

t.test('the host has the last word on whose documents count (PX-16)', async (t) => {
  const asked: string[] = []
  const { server, url, documents, id } = await open(t, { allow: async ({ pathname }) => { asked.push(pathname); return pathname !== '/client.json' } })
  server.answer(json(documentOf(url)))
  await t.rejects(documents.read(id, 'alice', START), refused('client document not allowed'))
  t.strictSame([asked, server.seen], [['/client.json'], []])

  let isAllowed = true
  const changing = await open(t, { allow: () => isAllowed })
  changing.server.answer(json(documentOf(changing.url)))
  t.ok(await changing.documents.read(changing.id, 'alice', START))
  isAllowed = false
  await t.rejects(changing.documents.read(changing.id, 'alice', START), refused('client document not allowed'), 'also one that is fresh')
  isAllowed = true
  t.ok(await changing.documents.read(changing.id, 'alice', START), 'and that is not remembered')

  const broken = await open(t, { allow: () => { throw new Error('policy') } })
  await t.rejects(broken.documents.read(broken.id, 'alice', START), { message: 'policy' })
})

t.test('an id that is no document is refused before anything is asked', async (t) => {
  const { documents, server } = await open(t)
  await t.rejects(documents.read('https://client.example', 'alice', START), refused('client id has no path'))
  t.strictSame(server.seen, [])
})

t.test('one user may have so many fetched, and others go on (PX-15)', async (t) => {
  const { server, documents } = await open(t)
  server.answer((request, response) => { json(documentOf(new URL(request.url ?? '', server.url())))(request, response) })
  const read = (n: number, user: string) => documents.read(server.url(`/${n}.json`).href, user, START)
  for (let n = 0; n < 60; n += 1) await read(n, 'mallory')
  await t.rejects(read(60, 'mallory'), { code: 'temporarily_unavailable', reason: 'client documents of one user' })
  t.ok(await read(60, 'alice'))
  t.ok(await read(0, 'mallory'), 'what is fresh costs nothing')
})

t.test('only so many are read at once', async (t) => {
  const { server, documents, id } = await open(t)
  const waiting: Array<() => void> = []
  server.answer((_request, response) => { waiting.push(() => { response.writeHead(404).end() }) })
  const all = Array.from({ length: 50 }, (_, n) => documents.read(server.url(`/${n}.json`).href, `user ${n}`, START).catch(() => 'refused'))
  await t.rejects(documents.read(id, 'alice', START), { code: 'temporarily_unavailable', reason: 'client documents at once' })
  while (waiting.length < 50) await new Promise((resolve) => { setImmediate(resolve) })
  for (const answer of waiting) answer()
  t.strictSame(new Set(await Promise.all(all)), new Set(['refused']))
})

t.test('only so many are read at once for one user, who has room again when one of them is', async (t) => {
  let refuse = (): void => {}
  const held = new Promise<boolean>((resolve) => { refuse = () => { resolve(false) } })
  const { documents } = await open(t, { allow: () => held })
  const read = async (n: number) => await documents.read(`https://c.example/${n}`, 'alice', START)
  const all = [0, 1, 2, 3, 4].map((n) => read(n).catch(() => 'refused'))
  await t.rejects(read(5), { code: 'temporarily_unavailable', reason: 'client documents of one user at once' })
  refuse()
  t.strictSame(new Set(await Promise.all(all)), new Set(['refused']))
  await t.rejects(read(5), refused('client document not allowed'))
})

t.test('failures that are remembered are bounded', async (t) => {
  const { documents } = await open(t, { allow: () => false })
  for (let n = 0; n <= 1000; n += 1) await documents.read(`https://c.example/${n}`, `user ${n}`, START).catch(() => {})
  await t.rejects(documents.read('https://c.example/1000', 'alice', START), refused('client document failed a moment ago'))
  await t.rejects(documents.read('https://c.example/0', 'alice', START), refused('client document not allowed'))
})

t.test('a store that cannot be reached is nobody\'s fault, and poisons nothing', async (t) => {
  const store = memoryStore()
  let down = true
  const records = {
    ...store,
    get: async (...input: Parameters<typeof store.get>) => {
      if (down) throw new StoreUnavailableError('down')
      return await store.get(...input)
    }
  }
  const server = await serveDocuments(t, json({}))
  server.answer(json(documentOf(server.url())))
  const documents = createClientDocuments({ records, tenant: 'default', lifetimes: LIFETIMES, schemes: [], fetch: server.options })
  await t.rejects(documents.read(server.url().href, 'alice', START), StoreUnavailableError)
  down = false
  t.ok(await documents.read(server.url().href, 'alice', START))
})

t.test('a client that somebody authorized is kept, one that nobody did is not', async (t) => {
  const { server, url, documents, id } = await open(t)
  server.answer(json(documentOf(url)))
  const client = await documents.read(id, 'alice', START)
  t.ok(await documents.find(id, START + LIFETIMES.unusedClient - 1))
  t.equal(await documents.find(id, START + LIFETIMES.unusedClient), null)
  await documents.keepAlive(client, START)
  t.ok(await documents.find(id, START + LIFETIMES.unusedClient))
  await documents.read(id, 'alice', START + 4000)
  t.ok(await documents.find(id, START + LIFETIMES.idleClient - 1), 'reading it again does not shorten its life')
  t.equal(await documents.find(id, START + LIFETIMES.idleClient), null)
  await documents.keepAlive(client, START + LIFETIMES.idleClient)
  t.equal(await documents.find(id, START + LIFETIMES.idleClient), null)
})

t.test('all clients are found in one place', async (t) => {
  const { server, url, documents, id, records } = await open(t)
  server.answer(json(documentOf(url)))
  const clients = withDocuments(createClients({
    records, tenant: 'default', secrets: SECRETS, lifetimes: LIFETIMES, maxClients: 10, maxClientsPerNetwork: 10, statics: [{ clientId: 'house', redirectUris: ['https://house.example/cb'] }]
  }), documents)
  await documents.read(id, 'alice', START)
  t.match(await clients.find('house', START), { origin: 'static' })
  const client = await clients.find(id, START)
  if (client === null) throw new Error('the client is not known')
  t.equal(client.origin, 'document')
  t.equal(await clients.find('nobody', START), null)
  await clients.keepAlive(client, START)
  t.ok(await clients.find(id, START + LIFETIMES.unusedClient))

  const { metadata } = client
  const { client: registered } = await clients.register({ metadata, authenticationMethods: ['none'] }, START)
  await clients.keepAlive(registered, START)
  t.ok(await clients.find(registered.clientId, START + LIFETIMES.unusedClient))
})
