import t from 'tap'
import { createRememberedConsents } from '../../lib/oauth/remembered-consents.js'
import { memoryStore } from '../../lib/stores/memory.js'
import type { Client, ClientMetadata, Grant } from '../../types/oauth.js'
import { grantRequest, PUBLIC_CLIENT, START } from '../helpers/token-context.js'

const WEB = 'https://client.example/cb'
const DAY = 86_400

function clientOf (metadata: Partial<ClientMetadata> = {}, origin: Client['origin'] = 'dynamic'): Client {
  return {
    clientId: 'c', metadata: { ...PUBLIC_CLIENT, ...metadata }, secretDigests: [], authenticationMethods: ['none'], origin, issuedAt: START
  }
}

const asked = (more: Partial<Grant & { subject: string }> = {}) => grantRequest('c', { redirectUri: WEB, ...more })

function build (consent = 30 * DAY) {
  const records = memoryStore()
  const consents = createRememberedConsents({ records, tenant: 'default', lifetimes: { consent } })
  return {
    records,
    consents,
    async give (more: Partial<Grant & { subject: string }> = {}, now = START, client = clientOf()) {
      const wanted = asked(more)
      const terms = consents.termsOf(client, wanted)
      const grant: Grant = {
        ...wanted,
        ...(terms === null ? {} : { terms }),
        status: 'approved',
        grantId: 'g',
        createdAt: now,
        handleDigest: '',
        codeDigest: '',
        exchangedAt: null,
        refresh: null,
        endsAt: now + 60
      }
      await consents.remember(grant, now)
    },
    covers: (more: Partial<Grant & { subject: string }> = {}, now = START, client = clientOf()) =>
      consents.covers(asked(more), consents.termsOf(client, asked(more)), now)
  }
}

t.test('what a user agreed to is remembered for its time, counted from the answer', async (t) => {
  const { give, covers } = build()
  t.equal(await covers(), false)
  await give()

  t.equal(await covers({}, START + 30 * DAY - 1), true)
  t.equal(await covers({}, START + 30 * DAY), false)
})

t.test('less than was agreed to is covered, more is not', async (t) => {
  const { give, covers } = build()
  await give({ scopes: ['notes:read', 'notes:write'], consented: ['one', 'two'] })

  t.equal(await covers({ scopes: ['notes:read'], consented: ['one'] }), true)
  t.equal(await covers({ scopes: ['notes:read', 'admin'], consented: ['one'] }), false)
  t.equal(await covers({ scopes: ['notes:read'], consented: ['three'] }), false)
})

t.test('a consent that named no component covers none that is destructive', async (t) => {
  const { give, covers } = build()
  await give()

  t.equal(await covers({ consented: [] }), true)
  t.equal(await covers({ consented: ['one'] }), false)
})

const others: Record<string, Partial<Grant & { subject: string }>> = {
  'another user': { subject: 'bob' },
  'another client': { clientId: 'd' },
  'another redirect URI': { redirectUri: 'https://client.example/cb2' },
  'another resource': { resource: 'https://mcp.example/other' },
  'anything else that a request can say': { device: { userCodeDigest: 'x' } } as unknown as Partial<Grant & { subject: string }>
}

for (const [what, more] of Object.entries(others)) {
  t.test(`${what} is not covered`, async (t) => {
    const { give, covers } = build()
    await give()

    t.equal(await covers(more), false)
    t.equal(await covers(), true)
  })
}

t.test('what is another each time makes no difference', async (t) => {
  const { give, covers } = build()
  await give()

  t.equal(await covers({ state: 'other', codeChallenge: 'other', codeKey: 'key', authenticatedAt: START, acr: 'gold', amr: ['pwd'] }), true)
})

t.test('a client whose metadata is another is asked about again', async (t) => {
  const { give, covers } = build()
  await give()

  t.equal(await covers({}, START, clientOf({ client_name: 'Another name' })), false)
  t.equal(await covers({}, START, clientOf({ redirect_uris: [WEB, 'https://evil.example/cb'] })), false)
})

t.test('the last answer counts: it takes the place of a wider one', async (t) => {
  const { give, covers } = build()
  await give({ scopes: ['notes:read', 'notes:write'] })
  await give({ scopes: ['notes:read'] })

  t.equal(await covers({ scopes: ['notes:write'] }), false)
  t.equal(await covers({ scopes: ['notes:read'] }), true)
})

const unassured: Record<string, [Client, string]> = {
  'on loopback': [clientOf(), 'http://127.0.0.1:4711/callback'],
  'on localhost': [clientOf(), 'http://localhost:4711/callback'],
  'on loopback by https': [clientOf(), 'https://localhost/callback'],
  'with a private-use scheme': [clientOf(), 'cursor://callback'],
  'on loopback, with a secret that it got by itself': [clientOf({ token_endpoint_auth_method: 'client_secret_basic' }), 'http://127.0.0.1/cb'],
  'on loopback, configured, without a secret': [clientOf({}, 'static'), 'http://127.0.0.1/cb'],
  'on loopback, with a document, without a key': [clientOf({}, 'document'), 'http://127.0.0.1/cb']
}

for (const [what, [client, redirectUri]] of Object.entries(unassured)) {
  t.test(`a client ${what} is asked about each time (AS-A17)`, async (t) => {
    const { consents, give, covers } = build()
    await give({ redirectUri }, START, client)

    t.equal(consents.termsOf(client, asked({ redirectUri })), null)
    t.equal(await covers({ redirectUri }, START, client), false)
    t.same(await consents.list({ subject: 'alice' }, START), { consents: [], cursor: null })
  })
}

t.test('a client on loopback that authenticates, and that somebody vouches for, is remembered', async (t) => {
  const { give, covers } = build()
  const client = clientOf({ token_endpoint_auth_method: 'client_secret_basic' }, 'static')
  await give({ redirectUri: 'http://127.0.0.1/cb' }, START, client)

  t.equal(await covers({ redirectUri: 'http://127.0.0.1/cb' }, START, client), true)
})

t.test('with a lifetime of 0 nothing is remembered, and what was is not looked for', async (t) => {
  const { give, covers, consents } = build(0)
  await give()

  t.equal(await covers(), false)
  t.same((await consents.list({ subject: 'alice' }, START)).consents, [])
})

t.test('what is forgotten is asked for again: one, all of a client, all of a user', async (t) => {
  const { give, covers, consents } = build()
  const bob = { subject: 'bob' }
  for (const who of [{}, bob]) {
    await give(who)
    await give({ ...who, clientId: 'd' })
  }

  await consents.forget(asked(), START)
  t.same([await covers(), await covers({ clientId: 'd' }), await covers(bob)], [false, true, true])
  await consents.forgetAll({ name: 'clientId', value: 'd' }, START)
  t.same([await covers({ clientId: 'd' }), await covers({ ...bob, clientId: 'd' }), await covers(bob)], [false, false, true])
  await consents.forgetAll({ name: 'subject', value: 'bob' }, START)
  t.equal(await covers(bob), false)
})

t.test('what one user gave to one client is forgotten, over many pages, and nothing else', async (t) => {
  const { give, covers, consents } = build()
  for (let index = 0; index < 120; index += 1) await give({ redirectUri: `${WEB}/${index}` })
  await give({ clientId: 'd' })
  await give({ subject: 'bob' })
  const page = await consents.list({ subject: 'alice' }, START)
  const rest = await consents.list({ subject: 'alice', after: page.cursor ?? '' }, START)
  t.same([page.consents.length, rest.consents.length, rest.cursor], [100, 21, null])

  await consents.forgetGiven({ subject: 'alice', clientId: 'c' }, START)

  t.match((await consents.list({ subject: 'alice' }, START)).consents, [{ clientId: 'd', scopes: ['notes:read', 'notes:write'], grantedAt: START }])
  t.equal(await covers({ subject: 'bob' }), true)
})

t.test('the record holds nothing by which anybody could act', async (t) => {
  const { give, records } = build()
  await give({ consented: ['one'] })

  const { records: [record] } = await records.list({ tenant: 'default', kind: 'consent', limit: 1 }, START)
  t.same(Object.keys(JSON.parse(record?.body ?? '')), [
    'subject', 'clientId', 'redirectUri', 'resource', 'scopes', 'consented', 'terms', 'grantedAt'
  ])
})
