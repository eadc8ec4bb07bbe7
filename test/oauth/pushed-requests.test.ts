import t from 'tap'
import { sha256 } from '../../lib/crypto/digest.js'
import { createPushedRequests, isPushedRequestUri } from '../../lib/oauth/pushed-requests.js'
import { memoryStore } from '../../lib/stores/memory.js'
import type { Client } from '../../types/oauth.js'
import { watchedStore } from '../helpers/oauth-app.js'
import { formOf, START } from '../helpers/token-context.js'

const clientOf = (clientId: string, client: Partial<Client> = {}): Client => ({
  clientId,
  metadata: { redirect_uris: [], token_endpoint_auth_method: 'none', grant_types: [], response_types: [] },
  authenticationMethods: ['none'],
  secretDigests: [],
  origin: 'dynamic',
  issuedAt: START,
  ...client
})

const open = () => {
  const records = memoryStore()
  return { records, requests: createPushedRequests({ records, tenant: 'default' }) }
}

t.test('what was pushed is found under its name, without what the client showed (AS-P1)', async (t) => {
  const { requests, records } = open()
  const form = formOf({ client_id: 'c', scope: 'a b', client_secret: 's', client_assertion: 'x', client_assertion_type: 'y' })
  const { requestUri, expiresIn } = await requests.push(clientOf('c'), form, START)
  t.match(requestUri, /^urn:ietf:params:oauth:request_uri:[\w-]{43}$/)
  t.equal(expiresIn, 600)
  t.strictSame(await requests.find('c', requestUri, START), formOf({ client_id: 'c', scope: 'a b' }))
  const { records: [record] } = await records.list({ tenant: 'default', kind: 'pushed-request', limit: 10 }, START)
  t.equal(record?.id, sha256(requestUri))
  t.notMatch(record?.body, requestUri)
})

t.test('only the client that pushed it finds it, until it expires (AS-P1)', async (t) => {
  const { requests } = open()
  const { requestUri } = await requests.push(clientOf('c'), formOf({ a: '1' }), START)
  t.equal(await requests.find('d', requestUri, START), null)
  t.equal(await requests.find('c', `${requestUri}x`, START), null)
  t.ok(await requests.find('c', requestUri, START + 599))
  t.equal(await requests.find('c', requestUri, START + 600), null)
})

t.test('a request that is longer than any client\'s is not kept, and counts for nothing', async (t) => {
  const { requests, records } = open()
  const refused = { code: 'invalid_request', status: 413 }
  await t.rejects(requests.push(clientOf('c'), formOf({ a: 'x'.repeat(8192) }), START), refused)
  await t.rejects(requests.push(clientOf('c'), formOf({ ['x'.repeat(8192)]: '' }), START), refused)
  t.strictSame((await records.list({ tenant: 'default', kind: 'pushed-request', limit: 10 }, START)).records, [])
  await requests.push(clientOf('c'), formOf({ a: 'x'.repeat(8000) }), START)
})

t.test('of twenty who use it one does', async (t) => {
  const { requests } = open()
  const { requestUri } = await requests.push(clientOf('c'), formOf({ a: '1' }), START)
  const used = await Promise.all(Array.from({ length: 20 }, () => requests.use(requestUri, START)))
  t.equal(used.filter(Boolean).length, 1)
  t.equal(await requests.find('c', requestUri, START), null)
})

t.test('a client keeps so many, and others go on', async (t) => {
  const { requests } = open()
  const form = formOf({ a: '1' })
  for (let n = 0; n < 1000; n += 1) await requests.push(clientOf('c'), form, START)
  await t.rejects(requests.push(clientOf('c'), form, START), { code: 'too_many_requests', reason: 'pushed request quota' })
  t.ok(await requests.push(clientOf('d'), form, START))
  t.ok(await requests.push(clientOf('c'), form, START + 600))
})

t.test('all together keep so many', async (t) => {
  const { requests } = open()
  const form = formOf({ a: '1' })
  for (let n = 0; n < 20_000; n += 1) await requests.push(clientOf(`client ${n}`), form, START)
  await t.rejects(requests.push(clientOf('another'), form, START), { code: 'too_many_requests' })
  await t.rejects(requests.push(clientOf('anybody', { origin: 'static' }), form, START), { code: 'too_many_requests' })
  t.ok(await requests.push(clientOf('operators', { origin: 'static', authenticationMethods: ['client_secret_basic'] }), form, START))
})

t.test('no other request_uri is ours', async (t) => {
  t.ok(isPushedRequestUri('urn:ietf:params:oauth:request_uri:x'))
  for (const uri of ['', 'https://evil.example/r', 'URN:ietf:params:oauth:request_uri:x', 'urn:x']) t.notOk(isPushedRequestUri(uri))
})

t.test('strangers with any number of ids that say what was registered share a few counters', async (t) => {
  const counted = new Set<string>()
  const records = memoryStore()
  const requests = createPushedRequests({
    tenant: 'default',
    records: {
      ...records,
      increment: async (key, input, now) => {
        counted.add(key.id)
        return await records.increment(key, input, now)
      }
    }
  })
  for (let i = 0; i < 9000; i++) {
    await requests.push(clientOf(`${i.toString(36)}.${'a'.repeat(43)}`), new Map(), START).catch(() => {})
  }

  t.ok(counted.size <= 4097, `${counted.size} counters`)
})

t.test('what is refused for want of room uses no proof up', async (t) => {
  const requests = createPushedRequests({ tenant: 'default', records: memoryStore() })
  let used = 0
  const push = async () => await requests.push(clientOf('one'), new Map(), START, async () => { used += 1 })
  for (let i = 0; i < 1000; i++) await push()

  await t.rejects(push(), { code: 'too_many_requests' })
  t.equal(used, 1000)
})

t.test('nothing is kept of a request whose proof is not good', async (t) => {
  const { store, added } = watchedStore()
  const requests = createPushedRequests({ tenant: 'default', records: store })

  await t.rejects(requests.push(clientOf('one'), new Map(), START, async () => { throw new Error('used before') }))
  t.strictSame(added, [])
})
