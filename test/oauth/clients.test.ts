import t from 'tap'
import { sha256 } from '../../lib/crypto/digest.js'
import { OAuthError } from '../../lib/protocol/oauth-error.js'
import { memoryStore } from '../../lib/stores/memory.js'
import { addClient, buildContext, LIFETIMES, PUBLIC_CLIENT, REDIRECT, START } from '../helpers/token-context.js'

const CONFIDENTIAL = { token_endpoint_auth_method: 'client_secret_post' } as const

t.test('a client that registered is found with all it registered', async (t) => {
  const { clients, ...context } = buildContext()
  const { client, secret } = await addClient({ clients, ...context }, { client_name: 'Notes' })

  t.equal(secret, null)
  t.match(client.clientId, /^[\w-]{22}$/)
  t.strictSame(await clients.find(client.clientId, START), {
    clientId: client.clientId,
    metadata: { ...PUBLIC_CLIENT, client_name: 'Notes' },
    secretDigests: [],
    authenticationMethods: ['none'],
    origin: 'dynamic',
    issuedAt: START
  })
})

t.test('a confidential client gets a secret of 256 bits, of which the store keeps the digest only', async (t) => {
  const context = buildContext()
  const { client, secret } = await addClient(context, CONFIDENTIAL)

  t.match(secret, /^[\w-]{43}$/)
  t.same(client.secretDigests, [sha256(secret ?? '')])
  const record = await context.records.get({ tenant: 'default', kind: 'client', id: client.clientId }, START)
  t.notOk(record?.body.includes(secret ?? ''))
})

t.test('what cannot be the id of a client is never asked of the store', async (t) => {
  const { clients } = buildContext({
    records: { ...memoryStore(), get: async () => { throw new Error('the store was asked') } }
  })

  for (const id of ['', 'x', '\0'.repeat(22), 'a'.repeat(10_000), '__proto__', 'https://evil.example/client.json']) {
    t.equal(await clients.find(id, START), null)
  }
})

t.test('a client that nobody authorizes is forgotten after a day', async (t) => {
  const context = buildContext()
  const { client } = await addClient(context)
  const end = START + LIFETIMES.unusedClient

  t.ok(await context.clients.find(client.clientId, end - 1))
  t.equal(await context.clients.find(client.clientId, end), null)
})

t.test('a client that is kept alive is forgotten half a year after that', async (t) => {
  const context = buildContext()
  const { client } = await addClient(context)
  await context.clients.keepAlive(client, START + 100)
  const end = START + 100 + LIFETIMES.idleClient

  t.same(await context.clients.find(client.clientId, end - 1), client)
  t.equal(await context.clients.find(client.clientId, end), null)
})

t.test('keeping a client alive that is gone, or being kept alive already, is no error', async (t) => {
  const context = buildContext()
  const { client } = await addClient(context)

  await Promise.all([context.clients.keepAlive(client, START), context.clients.keepAlive(client, START)])
  await context.clients.keepAlive({ ...client, clientId: 'a'.repeat(22) }, START)
  t.ok(await context.clients.find(client.clientId, START + LIFETIMES.unusedClient))
})

t.test('a client of the configuration is found, is never stored, and never ends', async (t) => {
  const { clients, records } = buildContext({ statics: [{ clientId: 'desk', redirectUris: [REDIRECT] }] })
  const client = await clients.find('desk', START * 2)
  if (client === null) throw new Error('the client is gone')
  await clients.keepAlive(client, START)

  t.match(client, { clientId: 'desk', origin: 'static' })
  t.same((await records.list({ tenant: 'default', kind: 'client', limit: 10 }, START)).records, [])
})

t.test('never more than maxClients that nobody authorized are kept, however they are spread over time', async (t) => {
  const context = buildContext({ maxClients: 10 })
  const steady = Array.from({ length: 300 }, (_, i) => ({ now: START + 400_000 + i * 1000, tries: 3 }))
  // One opens a window, the others come at its end and at the beginning of the next one.
  const clever = [0, LIFETIMES.unusedClient - 1, LIFETIMES.unusedClient].map((wait, i) => ({
    now: START + wait, tries: i === 0 ? 1 : 20
  }))
  let most = 0
  for (const { now, tries } of [...clever, ...steady]) {
    await Promise.all(Array.from({ length: tries }, () => addClient(context, {}, now).catch(() => {})))
    const { records } = await context.records.list({ tenant: 'default', kind: 'client', limit: 1000 }, now)
    most = Math.max(most, records.length)
  }

  t.ok(most <= 10, `${most} were kept`)
  t.ok(most >= 5, `${most} were kept`)
})

t.test('when there is no room the next client is told to come later', async (t) => {
  const context = buildContext({ maxClients: 2 })
  await addClient(context)

  await t.rejects(addClient(context), { name: 'OAuthError', code: 'too_many_requests', status: 429 })
  await t.resolves(addClient(context, {}, START + LIFETIMES.unusedClient))
  t.type(await addClient(context).catch((error: unknown) => error), OAuthError)
})

t.test('clients of different tenants do not meet', async (t) => {
  const context = buildContext()
  const { client } = await addClient(context)
  const { records } = context

  t.equal(await records.get({ tenant: 'other', kind: 'client', id: client.clientId }, START), null)
})

t.test('an id that is taken is not used', async (t) => {
  const records = memoryStore()
  const answers = [false]
  const context = buildContext({
    records: { ...records, add: async (record, now) => answers.shift() ?? await records.add(record, now) }
  })

  const { client } = await addClient(context)

  t.ok(await context.clients.find(client.clientId, START))
})
