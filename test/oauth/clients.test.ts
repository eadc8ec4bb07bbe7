import t from 'tap'
import { randomId, sha256 } from '../../lib/crypto/digest.js'
import { createClientRecords } from '../../lib/oauth/client-records.js'
import type { Registration } from '../../lib/oauth/clients.js'
import type { TokenContext } from '../../lib/oauth/token-context.js'
import { memoryStore } from '../../lib/stores/memory.js'
import type { ClientMetadata } from '../../types/oauth.js'
import { addClient, buildContext, LIFETIMES, PUBLIC_CLIENT, REDIRECT, START } from '../helpers/token-context.js'

const CONFIDENTIAL = { token_endpoint_auth_method: 'client_secret_post' } as const

/** From an address, as over HTTP. */
async function register ({ clients }: TokenContext, input: {
  readonly address?: string | undefined, readonly managed?: boolean, readonly metadata?: Partial<ClientMetadata>
} = {}, now = START) {
  const { address, managed = false } = { address: '192.0.2.7', ...input }
  const metadata = { ...PUBLIC_CLIENT, ...input.metadata }
  const registration: Registration = { metadata, authenticationMethods: [metadata.token_endpoint_auth_method], managed }
  return await clients.register(address === undefined ? registration : { ...registration, address }, now)
}

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

  for (const id of ['', 'x', '\0'.repeat(22), 'a'.repeat(10_000), `${'a'.repeat(500)}.${'a'.repeat(43)}`, '__proto__', 'https://evil.example/client.json']) {
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

const LONG = { redirect_uris: Array.from({ length: 20 }, () => `https://c.example/${randomId(40)}`) }

t.test('when there is no room, nothing is kept for the next client, and it is found all the same', async (t) => {
  const { clients, records, ...context } = buildContext({ maxClients: 2 })
  await addClient({ clients, ...context })
  const { client, secret, how } = await addClient({ clients, ...context }, { ...CONFIDENTIAL, client_name: 'Late' })

  t.equal(how, 'self-contained')
  t.match(client, { origin: 'dynamic', issuedAt: START, metadata: { client_name: 'Late' }, secretDigests: [sha256(secret ?? '')] })
  t.strictSame(await clients.find(client.clientId, START), client)
  t.equal((await records.list({ tenant: 'default', kind: 'client', limit: 10 }, START)).records.length, 1)
  t.equal(await clients.find(client.clientId, START + LIFETIMES.unusedClient), null, 'for as long as any other')
})

t.test('a client that its id describes is kept from when a user authorizes it', async (t) => {
  const context = buildContext({ maxClients: 2 })
  await addClient(context)
  const { client } = await addClient(context)
  await Promise.all([context.clients.keepAlive(client, START + 1), context.clients.keepAlive(client, START + 1)])

  t.strictSame(await context.clients.find(client.clientId, START + LIFETIMES.idleClient), client)
  t.equal(await context.clients.find(client.clientId, START + 1 + LIFETIMES.idleClient), null)
})

t.test('when there is no room, a client that says more than an id can hold is told to come later', async (t) => {
  const context = buildContext({ maxClients: 2 })
  await addClient(context)

  await t.rejects(addClient(context, LONG), { name: 'OAuthError', code: 'too_many_requests', status: 429 })
  await t.resolves(addClient(context, LONG, START + LIFETIMES.unusedClient))
})

t.test('a network that uses up its part leaves the rest to others', async (t) => {
  const context = buildContext({ maxClients: 1000, maxClientsPerNetwork: 3 })
  const from = async (address: string) => (await register(context, { address, metadata: CONFIDENTIAL })).how

  for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.77']) t.equal(await from(address), 'kept')
  t.equal(await from('192.0.2.200'), 'self-contained')
  t.equal(await from('198.51.100.1'), 'kept')
  t.equal(await from('2001:db8:1:2::'), 'kept')
})

t.test('a million networks need no million counters', async (t) => {
  const counted = new Set<string>()
  const records = memoryStore()
  const context = buildContext({
    records: {
      ...records,
      increment: async (key, input, now) => {
        counted.add(key.id)
        return await records.increment(key, input, now)
      }
    }
  })
  for (let i = 0; i < 20_000; i++) await register(context, { address: `10.${i >> 8}.${i & 255}.1`, metadata: CONFIDENTIAL })

  t.ok(counted.size <= 4097, `${counted.size} counters`)
})

t.test('the same public registration from the same address is the same client while nobody has used it', async (t) => {
  const context = buildContext({ maxClients: 4 })
  const first = await register(context)
  const again = await Promise.all(Array.from({ length: 20 }, () => register(context, {}, START + 1)))

  t.ok(again.every(({ how, client }) => how === 'recognised' && client.clientId === first.client.clientId))
  t.ok(await context.clients.find(first.client.clientId, START + LIFETIMES.unusedClient - 1))
  t.equal(await context.clients.find(first.client.clientId, START + LIFETIMES.unusedClient), null, 'and lives no longer for it')
  await context.clients.keepAlive(first.client, START + 1)
  t.not((await register(context, {}, START + 2)).client.clientId, first.client.clientId)
})

const others: Readonly<Record<string, Parameters<typeof register>[1]>> = {
  'another address': { address: '192.0.2.8' },
  'other metadata': { metadata: { client_name: 'Another' } },
  'a secret': { metadata: CONFIDENTIAL },
  'a token for managing': { managed: true },
  'no address': { address: undefined }
}

for (const [name, registration] of Object.entries(others)) {
  t.test(`a registration with ${name} is a client of its own, each time`, async (t) => {
    const context = buildContext()
    const ids = [(await register(context)).client.clientId]
    for (let i = 0; i < 2; i++) ids.push((await register(context, registration)).client.clientId)

    t.equal(new Set(ids).size, ['another address', 'other metadata'].includes(name) ? 2 : 3)
    t.not(ids[0], ids[1])
  })
}

t.test('a client that was switched off is neither found nor recognised', async (t) => {
  const context = buildContext()
  const clientRecords = createClientRecords(context)
  const { client: { clientId } } = await register(context)
  const off = await clientRecords.change(clientId, ({ client, expiresAt }) =>
    ({ client: { ...client, disabled: true }, expiresAt }), START)

  t.ok(off)
  t.equal(await context.clients.find(clientId, START), null)
  t.not((await register(context)).client.clientId, clientId)
})

t.test('two that register the same at the same moment do not fail', async (t) => {
  const context = buildContext()
  const answers = await Promise.all([register(context), register(context)])

  for (const { client } of answers) t.ok(await context.clients.find(client.clientId, START))
})

t.test('a recognised registration an hour later is a new client, which has all of its life before it', async (t) => {
  const context = buildContext()
  const first = await register(context)
  const { client } = await register(context, {}, START + 3600)

  t.not(client.clientId, first.client.clientId)
  t.ok(await context.clients.find(client.clientId, START + 3600 + LIFETIMES.unusedClient - 1))
})

t.test('a client outlives what was authorized, whatever the lifetimes', async (t) => {
  const context = buildContext({ lifetimes: { idleClient: 3600, unusedClient: 3600 } })
  const { client } = await addClient(context)
  await context.clients.keepAlive(client, START)

  t.ok(await context.clients.find(client.clientId, START + LIFETIMES.code + LIFETIMES.refreshAbsolute - 1))
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
