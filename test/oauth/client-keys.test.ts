import type { RequestListener } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { createSigningKey } from '../../lib/crypto/signing-key.js'
import { createClientKeys } from '../../lib/oauth/client-keys.js'
import { StoreUnavailableError } from '../../lib/stores/errors.js'
import { InvalidTokenError } from '../../lib/tokens/errors.js'
import type { Client, ClientMetadata } from '../../types/oauth.js'
import { json, serveDocuments } from '../helpers/document-server.js'
import { PUBLIC_CLIENT, START } from '../helpers/token-context.js'

const [one, two] = await Promise.all([createSigningKey('ES256'), createSigningKey('ES256')])
const jwkOf = (key: typeof one, more: object = {}) => ({ ...key.publicKey.export({ format: 'jwk' }), kid: key.kid, ...more })
const wanted = (key: typeof one | null) => ({ algorithm: 'ES256', kid: key?.kid ?? null }) as const

const clientOf = (metadata: Partial<ClientMetadata>): Client => ({
  clientId: 'job',
  metadata: { ...PUBLIC_CLIENT, ...metadata },
  secretDigests: [],
  authenticationMethods: ['private_key_jwt'],
  origin: 'static',
  issuedAt: 0
})
const stranger = (uri: string): Client => ({ ...clientOf({ jwks_uri: uri }), clientId: 'stranger', origin: 'dynamic' })
const inline = clientOf({ jwks: { keys: [jwkOf(one), jwkOf(two, { x5c: ['MIIC', 'MIID'] })] } })

t.test('a key that the client registered is found by its name', async (t) => {
  const keys = createClientKeys({})

  t.ok((await keys.find(inline, wanted(two), START)).equals(two.publicKey))
  await t.rejects(keys.find(inline, { algorithm: 'ES256', kid: 'three' }, START), new InvalidTokenError('unknown key'))
  await t.rejects(keys.find(inline, { algorithm: 'EdDSA', kid: one.kid }, START), new InvalidTokenError('unknown key'))
  await t.rejects(keys.find(inline, wanted(null), START), new InvalidTokenError('several keys fit'))
  await t.rejects(keys.find(clientOf({}), wanted(one), START), new InvalidTokenError('unknown key'))
})

t.test('a certificate is known when it is the first one of a key', async (t) => {
  const keys = createClientKeys({})

  await t.resolves(keys.findCertificate(inline, 'MIIC', START))
  await t.rejects(keys.findCertificate(inline, 'MIID', START), new InvalidTokenError('unknown key'))
  await t.rejects(keys.findCertificate(clientOf({}), 'MIIC', START), new InvalidTokenError('unknown key'))
})

t.test('keys are fetched once, whoever waits for them, and again for a name that is new', async (t) => {
  const server = await serveDocuments(t, json({ keys: [jwkOf(one)] }))
  const keys = createClientKeys(server.options)
  const client = clientOf({ jwks_uri: server.url('/jwks').href })

  await Promise.all([1, 2, 3].map(() => keys.find(client, wanted(one), START)))
  t.same(server.seen, ['/jwks'])
  server.answer(json({ keys: [jwkOf(one), jwkOf(two)] }))
  t.ok((await keys.find(client, wanted(two), START + 1)).equals(two.publicKey))
  t.equal(server.seen.length, 2)
  await t.rejects(keys.find(client, { algorithm: 'ES256', kid: 'a flood' }, START + 2), StoreUnavailableError)
  await t.rejects(keys.find(client, { algorithm: 'ES256', kid: 'of names' }, START + 3), StoreUnavailableError)
  t.equal(server.seen.length, 2)
})

t.test('certificates are fetched as well, and what is no set of keys holds none', async (t) => {
  const server = await serveDocuments(t, json({ keys: [null, {}, { x5c: ['MIID'] }, jwkOf(one, { x5c: ['MIIC'] }), jwkOf(two)] }))
  const keys = createClientKeys(server.options)

  const client = clientOf({ jwks_uri: server.url('/jwks').href })
  await t.resolves(keys.findCertificate(client, 'MIIC', START))
  await t.rejects(keys.findCertificate(client, 'MIID', START), new InvalidTokenError('unknown key'))
  for (const document of [[], { keys: {} }]) {
    server.answer(json(document))
    const other = clientOf({ jwks_uri: server.url(`/${typeof document}${server.seen.length}`).href })
    await t.rejects(keys.findCertificate(other, 'MIIC', START), StoreUnavailableError)
  }
})

const UNREACHABLE: Readonly<Record<string, RequestListener>> = {
  'a redirect': (_request, response) => { response.writeHead(302, { location: 'https://127.0.0.1/' }).end() },
  'a failure': (_request, response) => { response.writeHead(500).end() },
  'no JSON': (_request, response) => { response.writeHead(200, { 'content-type': 'application/json' }).end('nonsense') },
  'a document that is too large': json({ keys: [], more: 'x'.repeat(65_536) })
}

for (const [name, listener] of Object.entries(UNREACHABLE)) {
  t.test(`${name} instead of keys says nothing about the client`, async (t) => {
    const server = await serveDocuments(t, listener)
    const keys = createClientKeys(server.options)

    await t.rejects(keys.find(clientOf({ jwks_uri: server.url('/jwks').href }), wanted(one), START), StoreUnavailableError)
  })
}

t.test('keys at an address that is not public are never asked for', async (t) => {
  const server = await serveDocuments(t, json({ keys: [jwkOf(one)] }))
  const { agent, lookup } = server.options
  const byName = createClientKeys({ agent, ...(lookup === undefined ? {} : { lookup }) })

  for (const uri of [server.url('/jwks').href, `https://127.0.0.1:${server.url().port}/jwks`, 'https://[::1]/jwks']) {
    await t.rejects(byName.find(clientOf({ jwks_uri: uri }), wanted(one), START), StoreUnavailableError)
  }
  t.same(server.seen, [])
})

t.test('no more than fifty sets of keys are fetched at once, and keys that are known are not in need of it', async (t) => {
  const server = await serveDocuments(t, json({ keys: [jwkOf(one)] }))
  const keys = createClientKeys(server.options)
  const known = clientOf({ jwks_uri: server.url('/known').href })
  await keys.find(known, wanted(one), START)

  const held: Array<() => void> = []
  server.answer((request, response) => { held.push(() => { json({ keys: [jwkOf(one)] })(request, response) }) })
  const uriOf = (index: number) => server.url(`/${index}`).href
  const waiting = Array.from({ length: 50 }, (_, index) =>
    keys.find(clientOf({ jwks_uri: uriOf(index) }), wanted(one), START))
  await t.rejects(keys.find(clientOf({ jwks_uri: uriOf(50) }), wanted(one), START), StoreUnavailableError)
  await t.resolves(keys.find(known, wanted(one), START))
  // No event tells that the last of them has arrived.
  const answer = setInterval(() => { for (const go of held.splice(0)) go() }, 5)
  t.teardown(() => { clearInterval(answer) })
  t.equal((await Promise.all(waiting)).length, 50)
})

t.test('strangers neither take the places of the operator\'s clients, nor push out what is known of them', async (t) => {
  const server = await serveDocuments(t, json({ keys: [jwkOf(one)] }))
  const keys = createClientKeys(server.options)
  const [known, fresh] = ['/known', '/fresh'].map((path) => clientOf({ jwks_uri: server.url(path).href }))
  await keys.find(known!, wanted(one), START)
  for (let index = 0; index < 1000; index += 1) {
    await t.rejects(keys.find(stranger(`https://10.0.0.1/${index}`), wanted(one), START), StoreUnavailableError)
  }

  const held: Array<() => void> = []
  server.answer((_request, response) => { held.push(() => { response.destroy() }) })
  const waiting = Array.from({ length: 50 }, (_, index) =>
    t.rejects(keys.find(stranger(server.url(`/slow/${index}`).href), wanted(one), START), StoreUnavailableError))
  while (held.length < 50) await setImmediate()
  server.answer(json({ keys: [jwkOf(one)] }))
  const seen = server.seen.length
  t.ok((await keys.find(known!, wanted(one), START)).equals(one.publicKey))
  t.equal(server.seen.length, seen)
  t.ok((await keys.find(fresh!, wanted(one), START)).equals(one.publicKey))
  for (const end of held) end()
  await Promise.all(waiting)
})

t.test('of more than a thousand sets the one that was not asked for the longest is forgotten', async (t) => {
  const server = await serveDocuments(t, json({ keys: [jwkOf(one)] }))
  const keys = createClientKeys(server.options)
  const find = (uri: string) => keys.find(clientOf({ jwks_uri: uri }), wanted(one), START).catch(() => {})
  const uri = server.url('/jwks').href
  await find(uri)

  for (let index = 0; index < 999; index += 1) await find(`https://10.0.0.1/${index}`)
  await find(uri)
  t.equal(server.seen.length, 1)
  for (let index = 0; index < 1000; index += 1) await find(`https://10.0.0.2/${index}`)
  await find(uri)
  t.equal(server.seen.length, 2)
})
