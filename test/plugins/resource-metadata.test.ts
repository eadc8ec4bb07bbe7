import { OAuthProtectedResourceMetadataSchema } from '@modelcontextprotocol/sdk/shared/auth.js'
import t from 'tap'
import { resourceMetadata } from '../../lib/plugins/resource-metadata.js'
import { scopeGuard } from '../../lib/plugins/scope-guard.js'
import type { ResourceMetadataOptions } from '../../types/resource-metadata.js'
import type { Teardown } from '../helpers/build-app.js'
import { versions } from '../helpers/fastify-versions.js'
import { guardOptions, RESOURCE } from '../helpers/guard.js'

const PRM = '/.well-known/oauth-protected-resource'
const options: ResourceMetadataOptions = {
  resource: RESOURCE,
  authorizationServers: ['https://login.example/tenant/', 'https://other.example'],
  scopes: ['api://notes/read'],
  resourceName: 'Notes'
}

async function start (t: Teardown, more: Partial<ResourceMetadataOptions> = {}, version = 'newest') {
  const app = versions[version]?.(t)
  if (app === undefined) throw new Error(`no Fastify ${version}`)
  await app.register(resourceMetadata, { ...options, ...more })
  return app
}

for (const version of Object.keys(versions)) {
  t.test(`Fastify ${version}: the document says whose tokens are good here, at its path and at the root`, async (t) => {
    const app = await start(t, {}, version)

    for (const url of [PRM, `${PRM}/`, `${PRM}/mcp`, `${PRM}/mcp/`, `${PRM}/mcp?x=1`]) {
      const answer = await app.inject(url)
      t.match(answer, { statusCode: 200, headers: { 'cache-control': 'public, max-age=3600', 'access-control-allow-origin': '*' } })
      t.strictSame(answer.json(), {
        resource: RESOURCE,
        authorization_servers: ['https://login.example/tenant/', 'https://other.example'],
        scopes_supported: ['api://notes/read'],
        bearer_methods_supported: ['header'],
        resource_name: 'Notes'
      })
    }
  })
}

t.test('what is not said is left out, and the SDK reads the rest', async (t) => {
  const app = versions.newest?.(t)
  await app?.register(resourceMetadata, { resource: RESOURCE, authorizationServers: ['https://login.example'] })
  const document: unknown = (await app?.inject(PRM))?.json()

  t.strictSame(Object.keys(Object(document)), ['resource', 'authorization_servers', 'bearer_methods_supported'])
  t.equal(OAuthProtectedResourceMetadataSchema.safeParse(document).success, true)
})

t.test('RS-7: what the guard is told about bound tokens is said', async (t) => {
  const app = await start(t, { dpop: { algorithms: ['ES256'], nonce: true }, requireSenderConstraint: true })

  t.match((await app.inject(PRM)).json(), {
    dpop_signing_alg_values_supported: ['ES256'], dpop_bound_access_tokens_required: true
  })
})

t.test('other places are a 404 that is open to every origin, too', async (t) => {
  const app = await start(t)

  for (const url of [`${PRM}/other`, `${PRM}//mcp`, `${PRM}/mcp/more`]) {
    t.match(await app.inject(url), { statusCode: 404, headers: { 'access-control-allow-origin': '*', 'cache-control': 'no-store' } })
  }
})

t.test('neither Host nor forwarding headers change the document', async (t) => {
  const app = await start(t)
  const poison = { host: 'evil.example', 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' }

  t.equal((await app.inject({ url: PRM, headers: poison })).body, (await app.inject(PRM)).body)
})

t.test('in a guarded scope it needs no token, and is where the challenge says', async (t) => {
  const app = versions.newest?.(t)
  await app?.register(async (mcp) => {
    await mcp.register(scopeGuard, guardOptions())
    await mcp.register(resourceMetadata, options)
    mcp.post('/mcp', async () => ({}))
  })
  const refused = await app?.inject({ method: 'POST', url: '/mcp', payload: {} })
  const [, url = ''] = /resource_metadata="([^"]+)"/.exec(String(refused?.headers['www-authenticate'])) ?? []

  t.equal(refused?.statusCode, 401)
  t.equal((await app?.inject(new URL(url).pathname))?.json().resource, RESOURCE)
})

const refused: Record<string, [object, RegExp]> = {
  'no authorization server': [{ authorizationServers: [] }, /^authorizationServers must/],
  'one over http': [{ authorizationServers: ['https://a.example', 'http://b.example'] }, /^authorizationServers\.1 must be https/],
  'one with a query': [{ authorizationServers: ['https://a.example?x'] }, /^authorizationServers\.0 must have no query/],
  'a resource with a slash at its end': [{ resource: `${RESOURCE}/` }, /^resource must not end/],
  'two scopes in one': [{ scopes: ['a b'] }, /^scopes\.0 must/],
  'a scope that is not ours to ask for': [{ scopes: ['a', 'offline_access'] }, /^scopes\.1 is between/],
  'an option that does not exist': [{ issuer: 'https://a.example' }, /^issuer is not an option/],
  'a prefix': [{ prefix: '/api' }, /^prefix cannot be given/]
}

for (const [what, [more, message]] of Object.entries(refused)) {
  t.test(`${what} stops the boot`, async (t) => {
    await t.rejects(start(t, more), { code: 'MCPS_ERR_INVALID_OPTION', message })
  })
}

t.test('the tags of the guard of the same resource are named besides, as they are at the moment', async (t) => {
  const app = await start(t)
  await app.register(async (scope) => {
    await scope.register(scopeGuard, guardOptions({ components: [{ tool: 'a', tags: ['docs'] }] }))
    scope.post('/mcp', async () => 'handled')
    scope.get('/replace', { config: { mcpSecurity: { public: true } } }, async () => {
      scope.mcpComponents.replace([{ tool: 'a', tags: ['texts'] }])
      return 'replaced'
    })
  })
  const named = async () => (await app.inject(PRM)).json().scopes_supported
  t.same(await named(), ['api://notes/read', 'tag:docs'])

  await app.inject('/replace')

  t.same(await named(), ['api://notes/read', 'tag:texts'])
})
