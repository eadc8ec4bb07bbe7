import Fastify from 'fastify'
import t from 'tap'
import { assertOwnTenant, serveServerMetadata } from '../../../lib/plugins/support/server-documents.js'
import { memoryStore } from '../../../lib/stores/memory.js'
import { buildApp } from '../../helpers/build-app.js'

const BASE = '/.well-known/oauth-authorization-server'
const ORIGIN = 'https://as.example.com'

/** Serves these issuers, each from a scope of its own, each with its URL as the document. */
async function serving (t: Parameters<typeof buildApp>[0], ...issuers: readonly string[]) {
  const app = buildApp(t)
  const replace: Array<(next: string) => void> = []
  for (const issuer of issuers) {
    await app.register(async (scope) => { replace.push(serveServerMetadata(scope, issuer, JSON.stringify(issuer))) })
  }
  const get = async (path: string) => {
    const answer = await app.inject(BASE + path)
    return answer.statusCode === 200 ? answer.json() : answer.statusCode
  }
  return { get, replace }
}

t.test('an issuer that is alone is described at its path form and at the root, also when its document changes', async (t) => {
  const { get, replace: [replace] } = await serving(t, `${ORIGIN}/a`)
  t.strictSame([await get('/a'), await get(''), await get('/b')], [`${ORIGIN}/a`, `${ORIGIN}/a`, 404])

  replace?.('"newer"')
  t.strictSame([await get('/a'), await get('')], ['newer', 'newer'])
})

t.test('of several issuers with a path none is at the root, where a client would be sent to another one', async (t) => {
  const { get, replace: [replace] } = await serving(t, `${ORIGIN}/a`, `${ORIGIN}/b`)
  t.strictSame(await Promise.all(['/a', '/b', ''].map(get)), [`${ORIGIN}/a`, `${ORIGIN}/b`, 404])

  replace?.('"newer"')
  t.strictSame(await Promise.all(['/a', '/b', ''].map(get)), ['newer', `${ORIGIN}/b`, 404])
})

t.test('the root is the place of the issuer at the root, whichever came first', async (t) => {
  for (const issuers of [[ORIGIN, `${ORIGIN}/a`], [`${ORIGIN}/a`, ORIGIN]]) {
    const { get, replace } = await serving(t, ...issuers)
    for (const put of replace) put('"newer"')
    t.strictSame(await Promise.all(['', '/a'].map(get)), ['newer', 'newer'])
  }
  const { get } = await serving(t, `${ORIGIN}/a`, ORIGIN)
  t.equal(await get(''), ORIGIN)
})

t.test('two issuers with one path stop the boot', async (t) => {
  for (const other of [`${ORIGIN}/a`, 'https://other.example/a']) {
    const app = Fastify()
    serveServerMetadata(app, `${ORIGIN}/a`, '{}')

    t.throws(() => { serveServerMetadata(app, other, '{}') },
      { code: 'MCPS_ERR_INVALID_OPTION', message: /^issuer .* has its metadata already/ })
  }
})

t.test('two issuers with one tenant of a store stop the boot', async (t) => {
  const records = memoryStore()
  assertOwnTenant({ records, tenant: 'a' }, `${ORIGIN}/a`)
  assertOwnTenant({ records, tenant: 'a' }, `${ORIGIN}/a`)
  assertOwnTenant({ records, tenant: 'b' }, `${ORIGIN}/b`)
  assertOwnTenant({ records: memoryStore(), tenant: 'a' }, `${ORIGIN}/b`)

  t.throws(() => { assertOwnTenant({ records, tenant: 'a' }, `${ORIGIN}/b`) },
    { code: 'MCPS_ERR_INVALID_OPTION', message: /^tenant must differ/ })
})
