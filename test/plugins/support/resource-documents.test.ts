import Fastify from 'fastify'
import t from 'tap'
import { serveResourceMetadata } from '../../../lib/plugins/support/resource-documents.js'
import { buildApp } from '../../helpers/build-app.js'

const BASE = '/.well-known/oauth-protected-resource'
const ORIGIN = 'https://mcp.example.com'

const describing = (resource: string) => ({ resource, document: JSON.stringify(resource) })

/** Serves these resources, each from a scope of its own, each with its URL as the document. */
async function serving (t: Parameters<typeof buildApp>[0], ...resources: readonly string[]) {
  const app = buildApp(t)
  for (const resource of resources) {
    await app.register(async (scope) => { serveResourceMetadata(scope, describing(resource)) })
  }
  return async (path: string) => {
    const answer = await app.inject(BASE + path)
    return answer.statusCode === 200 ? answer.json() : answer.statusCode
  }
}

t.test('a resource is described at its path form and at the root', async (t) => {
  const get = await serving(t, `${ORIGIN}/mcp`)

  t.strictSame([await get('/mcp'), await get(''), await get('/other')], [`${ORIGIN}/mcp`, `${ORIGIN}/mcp`, 404])
})

t.test('of several resources each is described at its path form, and the first one at the root, too', async (t) => {
  const get = await serving(t, `${ORIGIN}/a/mcp`, `${ORIGIN}/b/mcp`, `${ORIGIN}/a/mcp/more`)

  t.strictSame(await Promise.all(['/a/mcp', '/b/mcp', '/a/mcp/more', '', '/a'].map(get)),
    [`${ORIGIN}/a/mcp`, `${ORIGIN}/b/mcp`, `${ORIGIN}/a/mcp/more`, `${ORIGIN}/a/mcp`, 404])
})

t.test('the root is the place of the resource at the root, whichever came first', async (t) => {
  for (const resources of [[ORIGIN, `${ORIGIN}/mcp`], [`${ORIGIN}/mcp`, ORIGIN]]) {
    const get = await serving(t, ...resources)

    t.strictSame([await get(''), await get('/mcp')], [ORIGIN, `${ORIGIN}/mcp`])
  }
})

t.test('of resources of several issuers none is at the root but its own: a client would be sent to another server', async (t) => {
  for (const [root, ...resources] of [[404, '/a', '/b', '/c'], [ORIGIN, '', '/a', '/b'], [ORIGIN, '/a', '/b', '']]) {
    const app = buildApp(t)
    const [first = () => {}] = resources.map((path) =>
      serveResourceMetadata(app, { ...describing(`${ORIGIN}${path}`), issuer: `https://as.example${path}` }))
    first(JSON.stringify('newer'))
    const answer = await app.inject(BASE)

    t.equal(answer.statusCode === 200 ? answer.json().replace('newer', ORIGIN) : answer.statusCode, root)
    t.equal((await app.inject(`${BASE}/b`)).json(), `${ORIGIN}/b`)
  }
})

t.test('two resources with one path stop the boot', async (t) => {
  for (const other of [`${ORIGIN}/mcp`, `${ORIGIN}/mcp?x=1`, 'https://other.example/mcp']) {
    const app = Fastify()
    serveResourceMetadata(app, describing(`${ORIGIN}/mcp`))

    t.throws(() => { serveResourceMetadata(app, describing(other)) },
      { code: 'MCPS_ERR_INVALID_OPTION', message: /^resource .* has its metadata already/ })
  }
})

t.test('two apps in one process know nothing of each other', async (t) => {
  const [first, second] = [await serving(t, `${ORIGIN}/a`), await serving(t, `${ORIGIN}/b`)]

  t.strictSame([await first('/b'), await second('/a')], [404, 404])
})
