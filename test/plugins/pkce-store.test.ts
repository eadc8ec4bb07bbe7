import { mock } from 'node:test'
import t from 'tap'
import { auditHook } from '../../lib/plugins/audit-hook.js'
import { createSigningKey } from '../../lib/crypto/signing-key.js'
import { openKeyring } from '../../lib/crypto/keyring.js'
import { deriveSecrets } from '../../lib/crypto/secrets.js'
import { oauthRoutes } from '../../lib/plugins/oauth-routes/index.js'
import { pkceStore } from '../../lib/plugins/pkce-store.js'
import { memoryStore } from '../../lib/stores/memory.js'
import type { PkceStoreOptions } from '../../types/options.js'
import type { RecordStore } from '../../types/stores.js'
import { buildApp } from '../helpers/build-app.js'
import { stoppedClock } from '../helpers/clock.js'
import { codeFor, OPTIONS, post, RESOURCE, STATICS, VERIFIER } from '../helpers/oauth-app.js'

const SECRET = 'a-secret-of-thirty-two-characters-or-more'

/** A store that says what is asked of it about its end. */
function observedStore (): { store: RecordStore, asked: string[] } {
  const memory = memoryStore()
  const asked: string[] = []
  const store: RecordStore = {
    ...memory,
    prune: async (limit, now) => { asked.push('prune'); return await memory.prune(limit, now) },
    close: async () => { asked.push('close'); await memory.close() }
  }
  return { store, asked }
}

t.test('without options everything is in memory', async (t) => {
  const app = buildApp(t)
  await app.register(pkceStore)
  t.match(app.pkceStore, { tenant: 'default', lifetimes: { accessToken: 900 }, keyring: { current: { algorithm: 'ES256' } } })
  t.equal(app.pkceStore.accessTokenFormat, 'jwt')
  t.ok(Object.isFrozen(app.pkceStore))
})

t.test('what is given is what is used', async (t) => {
  const app = buildApp(t)
  const store = memoryStore()
  const clock = stoppedClock(5)
  await app.register(pkceStore, {
    store,
    clock,
    secrets: [SECRET],
    tenant: 'acme',
    signingAlgorithm: 'EdDSA',
    lifetimes: { code: 10 },
    clients: [{ clientId: 'house', redirectUris: ['https://house.example/cb'] }],
    maxClients: 2
  })
  const { records, tenant, clients, lifetimes, keyring } = app.pkceStore
  t.equal(records, store)
  t.equal(app.pkceStore.clock, clock)
  t.same([tenant, lifetimes.code, keyring.current.algorithm], ['acme', 10, 'EdDSA'])
  t.match(await clients.find('house', 5), { clientId: 'house', origin: 'static' })
  t.ok(await store.get({ tenant: 'acme', kind: 'signing-keys', id: 'all' }, 5))
})

t.test('keys survive a restart on the same store, and only their making is reported', async (t) => {
  const store = memoryStore()
  const told: string[] = []
  const kids: string[] = []
  for (let start = 0; start < 2; start += 1) {
    const app = buildApp(t)
    await app.register(auditHook, { log: false, sink: ({ type }) => { told.push(type) } })
    await app.register(pkceStore, { store: { ...store, close: async () => {} }, secrets: [SECRET] })
    kids.push(app.pkceStore.keyring.current.kid)
    await app.close()
  }
  t.equal(kids[0], kids[1])
  t.same(told, ['key.created'])
})

t.test('the next key is made in time, and what became of the keys is reported', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => { mock.timers.reset() })
  const told: string[] = []
  const app = buildApp(t)
  const clock = stoppedClock()
  await app.register(auditHook, { log: false, sink: ({ type }) => { told.push(type) } })
  await app.register(pkceStore, { clock, keyRotation: { every: 3600, publishedBefore: 600 } })
  const { keyring } = app.pkceStore
  const changed = new Promise<void>((resolve) => { keyring.onChange(() => { resolve() }) })
  clock.advance(3000)
  mock.timers.tick(60_000)
  await changed
  t.equal(keyring.keys.length, 2)

  await keyring.remove(keyring.current.kid)
  t.same(told, ['key.created', 'key.created', 'key.removed'])
})

t.test('instances on one store hear of each other, without an audit hook too', async (t) => {
  const store = memoryStore()
  const app = buildApp(t)
  const clock = stoppedClock()
  await app.register(pkceStore, { store, secrets: [SECRET], clock })
  const { keyring } = app.pkceStore
  const other = await openKeyring({ records: store, tenant: 'default', secrets: deriveSecrets([SECRET]), clock })
  const changed = new Promise<void>((resolve) => { keyring.onChange(() => { resolve() }) })
  await other.rotate()
  await changed

  t.equal(keyring.jwks, other.jwks)
})

t.test('a signer that fails is a 503, after which the same code is good', async (t) => {
  const { publicKey, sign } = await createSigningKey('ES256')
  let isDown = false
  const app = buildApp(t)
  await app.register(pkceStore, {
    clients: STATICS,
    signers: [{
      algorithm: 'ES256',
      publicJwk: publicKey.export({ format: 'jwk' }),
      sign: async (bytes) => isDown ? await Promise.reject(new Error('down')) : await sign(bytes)
    }]
  })
  await app.register(oauthRoutes, OPTIONS)
  const code = await codeFor(app)
  const fields = { grant_type: 'authorization_code', client_id: 'house', code, code_verifier: VERIFIER, resource: RESOURCE }
  isDown = true
  const failed = await post(app, '/token', fields)
  isDown = false
  const answer = await post(app, '/token', fields)

  t.match(failed, { statusCode: 503, headers: { 'retry-after': '5', 'cache-control': 'no-store' } })
  t.equal(failed.json().error, 'temporarily_unavailable')
  t.equal(answer.statusCode, 200)
  t.match(await app.inject('/.well-known/jwks.json').then((keys) => keys.json()), { keys: [publicKey.export({ format: 'jwk' })] })
})

t.test('another secret does not open the keys of a store', async (t) => {
  const store = memoryStore()
  const first = buildApp(t)
  await first.register(pkceStore, { store, secrets: [SECRET] })
  const second = buildApp(t)
  await t.rejects(async () => await second.register(pkceStore, { store, secrets: [`another-${SECRET}`] }),
    { code: 'MCPS_ERR_SECRETS' })
})

const wrong: Record<string, [PkceStoreOptions, RegExp]> = {
  'a store without secrets': [{ store: memoryStore() }, /^secrets are required/],
  'a short secret': [{ secrets: ['short'] }, /^secrets\.0 /],
  'no secret in the list': [{ secrets: [] }, /^secrets /],
  'a tenant with a slash': [{ tenant: 'a/b' }, /^tenant /],
  'keys that change too often': [{ keyRotation: { every: 60 } }, /^keyRotation/],
  'keys that wait for too long': [{ keyRotation: { every: 3600, publishedBefore: 3600 } }, /^keyRotation\.publishedBefore /],
  'signers and an algorithm': [{ signers: [{ algorithm: 'ES256', publicJwk: {}, sign: async () => new Uint8Array() }], signingAlgorithm: 'ES256' }, /^signers /],
  'a lifetime out of bounds': [{ lifetimes: { accessToken: 60 } }, /^lifetimes\.accessToken /],
  'lifetimes that contradict each other': [{ lifetimes: { refreshIdle: 900, refreshAbsolute: 600 } }, /^lifetimes\.refreshIdle /],
  'a client without redirect URIs': [{ clients: [{ clientId: 'house', redirectUris: [] }] }, /^clients/]
}

for (const [what, [options, message]] of Object.entries(wrong)) {
  t.test(`${what} stops the boot with its path`, async (t) => {
    const app = buildApp(t)
    await t.rejects(async () => await app.register(pkceStore, options), { code: 'MCPS_ERR_INVALID_OPTION', message })
  })
}

t.test('what has expired is forgotten once a minute, and the store is closed with the app', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => { mock.timers.reset() })
  const { store, asked } = observedStore()
  const app = buildApp(t)
  await app.register(pkceStore, { store, secrets: [SECRET] })
  mock.timers.tick(59_999)
  t.same(asked, [])
  mock.timers.tick(1)
  t.same(asked, ['prune'])
  await app.close()
  t.same(asked, ['prune', 'close'])
})

t.test('forgetting can be left to somebody else', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => { mock.timers.reset() })
  const { store, asked } = observedStore()
  const app = buildApp(t)
  await app.register(pkceStore, { store, secrets: [SECRET], pruneInterval: 0 })
  mock.timers.tick(86_400_000)
  await app.close()
  t.same(asked, ['close'])
})

t.test('the operator makes clients at run time, and the audit hears of it where there is one', async (t) => {
  const events: string[] = []
  const audited = buildApp(t)
  await audited.register(auditHook, { log: false, sink: ({ type }) => { events.push(type) } })
  await audited.register(pkceStore)
  const quiet = buildApp(t)
  await quiet.register(pkceStore)

  for (const app of [audited, quiet]) {
    const { client } = await app.mcpClients.create({ redirectUris: ['https://c.example/cb'] })
    t.match(await app.pkceStore.clients.find(client.clientId, app.pkceStore.clock()), { origin: 'admin' })
  }
  t.ok(events.includes('client.registered'))
})
