import t from 'tap'
import { oauthRoutes } from '../../../lib/plugins/oauth-routes/index.js'
import { pkceStore } from '../../../lib/plugins/pkce-store.js'
import { scopeGuard } from '../../../lib/plugins/scope-guard.js'
import { buildApp } from '../../helpers/build-app.js'
import { ISSUER, oauthApp, OPTIONS, RESOURCE } from '../../helpers/oauth-app.js'
import { versions } from '../../helpers/fastify-versions.js'

const PRM = '/.well-known/oauth-protected-resource'
const AS = '/.well-known/oauth-authorization-server'
const OIDC = '/.well-known/openid-configuration'

for (const version of Object.keys(versions)) {
  t.test(`Fastify ${version}: every document is there in every form that clients try, with and without a slash`, async (t) => {
    const { app } = await oauthApp(t, { version, routes: { issuer: 'https://as.example/t1' } })
    const forms: Record<string, string> = {
      [PRM]: 'resource', [`${PRM}/mcp`]: 'resource', [AS]: 'issuer', [`${AS}/t1`]: 'issuer', '/t1/.well-known/jwks.json': 'keys'
    }
    for (const [path, member] of Object.entries(forms)) {
      for (const url of [path, `${path}/`, `${path}?x=1`]) {
        const answer = await app.inject(url)
        t.equal(answer.statusCode, 200, url)
        t.match(answer.headers, {
          'content-type': 'application/json; charset=utf-8', 'cache-control': 'public, max-age=3600', 'access-control-allow-origin': '*'
        })
        t.ok(member in answer.json(), url)
        t.notMatch(answer.body, /null|\[\]/)
      }
    }
  })

  t.test(`Fastify ${version}: what is not there is a plain 404 in JSON`, async (t) => {
    const { app } = await oauthApp(t, { version, routes: { issuer: 'https://as.example/t1' } })
    for (const url of [
      OIDC, `${OIDC}/t1`, `/t1${OIDC}`, `/t1${OIDC}/`, `${PRM}/other/`, `${PRM}/mcp/more`, `${PRM}//mcp`,
      `${AS}/t2`, `${AS}/T1`, `${PRM}/${'x'.repeat(500)}`, `${PRM}/mcp%2Fx`, '/t1/.well-known/jwks.json/x'
    ]) {
      const answer = await app.inject(url)
      t.match(answer, { statusCode: 404, headers: { 'content-type': /^application\/json/, 'cache-control': 'no-store', 'access-control-allow-origin': '*' } }, url)
      t.equal(answer.json().error, 'invalid_request')
    }
  })
}

t.test('issuer and resource are byte for byte what was configured', async (t) => {
  const { app } = await oauthApp(t)
  const resource = (await app.inject(`${PRM}/mcp`)).json()
  const server = (await app.inject(AS)).json()
  t.equal(resource.resource, RESOURCE)
  t.same(resource.authorization_servers, [ISSUER])
  t.equal(server.issuer, ISSUER)
  t.match(server, {
    authorization_endpoint: `${ISSUER}/authorize`,
    token_endpoint: `${ISSUER}/token`,
    registration_endpoint: `${ISSUER}/register`,
    revocation_endpoint: `${ISSUER}/revoke`,
    jwks_uri: `${ISSUER}/.well-known/jwks.json`
  })
})

t.test('the resource names what a client needs to start, the server all that there is', async (t) => {
  const { app } = await oauthApp(t)
  t.same((await app.inject(PRM)).json().scopes_supported, ['notes:read'])
  t.same((await app.inject(AS)).json().scopes_supported, ['notes:read', 'notes:write'])
})

t.test('registration is advertised only where it is possible', async (t) => {
  const { app } = await oauthApp(t, { routes: { registration: false } })
  t.notOk('registration_endpoint' in (await app.inject(AS)).json())
})

t.test('documents of clients are advertised only where they are read', async (t) => {
  const on = await oauthApp(t)
  t.equal((await on.app.inject(AS)).json().client_id_metadata_document_supported, true)
  const off = await oauthApp(t, { routes: { clientDocuments: false } })
  t.notOk('client_id_metadata_document_supported' in (await off.app.inject(AS)).json())
})

t.test('only public halves of keys go out', async (t) => {
  const { app } = await oauthApp(t)
  const [key, ...others] = (await app.inject('/.well-known/jwks.json')).json().keys
  t.same(others, [])
  t.same(Object.keys(key).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
})

t.test('the key set follows the keys, and nobody keeps it for longer than a key waits', async (t) => {
  const app = buildApp(t)
  await app.register(pkceStore, { keyRotation: { every: 3600, publishedBefore: 600 } })
  await app.register(oauthRoutes, OPTIONS)
  const { keyring } = app.pkceStore
  const { kid } = keyring.current
  await keyring.rotate()
  const answer = await app.inject('/.well-known/jwks.json')
  t.equal(answer.headers['cache-control'], 'public, max-age=300')
  t.equal(answer.json().keys.length, 2)
  t.equal((await app.inject(AS)).headers['cache-control'], 'public, max-age=3600')

  await keyring.remove(kid)
  t.notMatch((await app.inject('/.well-known/jwks.json')).body, kid)
})

t.test('neither Host nor forwarding headers change a document', async (t) => {
  const { app } = await oauthApp(t)
  const poison = { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'gopher', forwarded: 'host=evil.example' }
  for (const url of [PRM, `${PRM}/mcp`, AS, '/.well-known/jwks.json']) {
    const [plain, poisoned] = [await app.inject(url), await app.inject({ url, headers: poison })]
    t.equal(poisoned.body, plain.body)
    t.notMatch(JSON.stringify(poisoned.headers), /evil|gopher/)
  }
})

t.test('documents are for reading: HEAD and preflights are answered, the rest is 405', async (t) => {
  const { app } = await oauthApp(t)
  for (const url of [PRM, `${PRM}/mcp`, AS]) {
    const head = await app.inject({ method: 'HEAD', url })
    t.match(head, { statusCode: 200, body: '', headers: { 'cache-control': 'public, max-age=3600' } })
    const preflight = await app.inject({ method: 'OPTIONS', url, headers: { origin: 'https://page.example', 'access-control-request-method': 'GET' } })
    t.match(preflight, { statusCode: 204, headers: { 'access-control-allow-origin': '*', 'access-control-allow-headers': /mcp-protocol-version/ } })
    const post = await app.inject({ method: 'POST', url, payload: {} })
    t.match(post, { statusCode: 405, headers: { allow: 'GET, HEAD, OPTIONS', 'cache-control': 'no-store' } })
  }
})

t.test('a host that serves OpenID discovery itself keeps it', async (t) => {
  const { app } = await oauthApp(t, { prepare: (app) => { app.get(OIDC, async () => ({ issuer: 'own' })) } })
  t.same((await app.inject(OIDC)).json(), { issuer: 'own' })
  t.equal((await app.inject(AS)).statusCode, 200)
})

t.test('a router that ignores slashes at the end serves the same', async (t) => {
  const { app } = await oauthApp(t, { server: { routerOptions: { ignoreTrailingSlash: true } } })
  t.equal((await app.inject(`${PRM}/mcp/`)).statusCode, 200)
  t.equal((await app.inject(`${AS}/`)).statusCode, 200)
})

t.test('a resource without a path has one document', async (t) => {
  const { app } = await oauthApp(t, { routes: { resource: 'https://as.example' } })
  t.equal((await app.inject(PRM)).json().resource, 'https://as.example')
})

t.test('what the guard of the same resource replaces is named from then on, and what it had is not', async (t) => {
  const app = buildApp(t)
  const { components: _components, ...options } = OPTIONS
  await app.register(pkceStore, {})
  const { issuer, resource, scopes } = options
  await app.register(scopeGuard, { issuer, resource, scopes, components: [{ tool: 'a', tags: ['docs'] }] })
  await app.register(oauthRoutes, options)
  app.post('/mcp', async () => 'handled')
  const namedAt = async (path: string) => (await app.inject(path)).json().scopes_supported
  const named = async () => [await namedAt(PRM), await namedAt(AS)]
  t.same(await named(), [['notes:read', 'tag:docs'], ['notes:read', 'notes:write', 'tag:docs']])

  app.mcpComponents.replace([{ tool: 'a', tags: ['texts'] }])

  t.same(await named(), [['notes:read', 'tag:texts'], ['notes:read', 'notes:write', 'tag:texts']])
})
