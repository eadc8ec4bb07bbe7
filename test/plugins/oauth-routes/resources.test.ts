import t from 'tap'
import { decodeJwt } from 'jose'
import type { FastifyInstance } from 'fastify'
import { buildContext } from '../../../lib/plugins/oauth-routes/context.js'
import { oauthRoutes } from '../../../lib/plugins/oauth-routes/index.js'
import { pkceStore } from '../../../lib/plugins/pkce-store.js'
import { scopeGuard } from '../../../lib/plugins/scope-guard.js'
import type { OAuthRoutesOptions, ResourceOptions } from '../../../types/options.js'
import { buildApp } from '../../helpers/build-app.js'
import {
  authorizationUrl, authorize, COOKIE, decide, ISSUER, LOOPBACK, oauthApp, OPTIONS, post, redirected, register,
  RESOURCE, STATICS, ticked, VERIFIER
} from '../../helpers/oauth-app.js'

const BILLS = 'https://as.example/bills'
const FAR = 'https://far.example/mcp'
const bills: ResourceOptions = {
  resource: BILLS,
  resourceName: 'Bills',
  scopes: { 'bills:pay': 'Pay your bills' },
  components: [{ tool: 'pay', scopes: ['bills:pay'], destructive: true }],
  accessTokenLifetime: 60
}
const far: ResourceOptions = { resource: FAR, accessTokenFormat: 'opaque', components: [] }
const routes: Partial<OAuthRoutesOptions> = { resources: [bills, far] }

/** Asks for what the query says besides, allows everything, answers the code. */
async function codeOf (app: FastifyInstance, client: string, more: string): Promise<string> {
  const url = authorizationUrl({ client_id: client, redirect_uri: LOOPBACK, resource: undefined, scope: undefined })
  const page = await app.inject({ url: url + more, headers: { cookie: COOKIE, 'x-user': 'alice' } })
  return redirected(await decide(app, [...ticked(page), ['decision', 'allow']])).code ?? ''
}

const named = (...resources: string[]): string => resources.map((one) => `&resource=${encodeURIComponent(one)}`).join('')

t.test('each resource has its own metadata, one on another origin has it there', async (t) => {
  const { app } = await oauthApp(t, { routes })
  const document = async (path: string) => await app.inject(`/.well-known/oauth-protected-resource${path}`)

  t.match((await document('/mcp')).json(), { resource: RESOURCE, authorization_servers: [ISSUER], resource_name: 'Notes' })
  t.strictSame((await document('/bills')).json(), {
    resource: BILLS,
    authorization_servers: [ISSUER],
    scopes_supported: ['bills:pay'],
    bearer_methods_supported: ['header'],
    resource_name: 'Bills'
  })
  t.match((await document('')).json(), { resource: RESOURCE })
  t.strictSame((await app.inject('/.well-known/oauth-authorization-server')).json().scopes_supported,
    ['notes:read', 'notes:write', 'bills:pay'])
})

t.test('the resource that is named is the audience, with its own lifetime and scopes only', async (t) => {
  const { app } = await oauthApp(t, { routes })
  const client = await register(app)
  const code = await codeOf(app, client, `${named(BILLS)}&scope=notes:write+bills:pay`)
  const answer = await post(app, '/token', { grant_type: 'authorization_code', client_id: client, code, code_verifier: VERIFIER })

  t.match(answer.json(), { expires_in: 60, scope: 'bills:pay' })
  t.match(decodeJwt(answer.json().access_token), { aud: BILLS, scope: 'bills:pay' })
})

t.test('a grant for several gives each token for one of them, with what of the scopes is its own', async (t) => {
  const { app, events } = await oauthApp(t, { routes })
  const client = await register(app, { grant_types: ['authorization_code', 'refresh_token'] })
  const code = await codeOf(app, client, `${named(BILLS, RESOURCE, FAR)}&scope=notes:write+bills:pay`)
  const exchange = { grant_type: 'authorization_code', client_id: client, code, code_verifier: VERIFIER }

  t.match((await post(app, '/token', exchange)).json(), { error: 'invalid_target' })
  const first = (await post(app, '/token', { ...exchange, resource: RESOURCE })).json()
  t.match(decodeJwt(first.access_token), { aud: RESOURCE, scope: 'notes:write' })
  const renewal = { grant_type: 'refresh_token', client_id: client, refresh_token: first.refresh_token }
  const second = (await post(app, '/token', { ...renewal, resource: BILLS })).json()
  t.match(decodeJwt(second.access_token), { aud: BILLS, scope: 'bills:pay' })
  const third = (await post(app, '/token', { ...renewal, refresh_token: second.refresh_token, resource: FAR })).json()
  t.match(third, { access_token: /^mcps_at_/, scope: 'notes:write' })
  t.match(events.filter(({ type }) => type === 'token.issued').map(({ resource }) => resource), [RESOURCE, BILLS, FAR])
})

t.test('a repeated refresh token never gets the answer that went out for another resource', async (t) => {
  const { app } = await oauthApp(t, { routes })
  const client = await register(app, { grant_types: ['authorization_code', 'refresh_token'] })
  const code = await codeOf(app, client, named(RESOURCE, BILLS))
  const first = (await post(app, '/token', {
    grant_type: 'authorization_code', client_id: client, code, code_verifier: VERIFIER, resource: RESOURCE
  })).json()
  const renewal = { grant_type: 'refresh_token', client_id: client, refresh_token: first.refresh_token }
  const answer = await post(app, '/token', { ...renewal, resource: BILLS })

  t.match((await post(app, '/token', { ...renewal, resource: RESOURCE })).json(), { error: 'invalid_target' })
  t.equal((await post(app, '/token', { ...renewal, resource: BILLS })).body, answer.body)
})

t.test('the consent page names every resource and what each scope opens there', async (t) => {
  const { app } = await oauthApp(t, { routes })
  const url = authorizationUrl({ resource: undefined, scope: 'notes:read bills:pay' }) + named(RESOURCE, BILLS)
  const { body } = await app.inject({ url, headers: { cookie: COOKIE, 'x-user': 'alice' } })

  t.match(body, /wants to use <bdi>Notes<\/bdi> and <bdi>Bills<\/bdi>/)
  for (const text of [RESOURCE, BILLS, 'Pay your bills', 'List notes', 'pay']) t.ok(body.includes(text))
  t.notMatch((await authorize(app, { scope: 'notes:read' })).body, /Bills/)
})

t.test('a token for one resource is nothing at the guard of another one', async (t) => {
  const components = [{ tool: 'whoami', scopes: [] }]
  const app = buildApp(t)
  await app.register(pkceStore, { clients: STATICS })
  for (const [path, resource] of [['/mcp', RESOURCE], ['/bills', BILLS]] as const) {
    await app.register(async (mcp) => {
      await mcp.register(scopeGuard, { issuer: ISSUER, resource, scopes: OPTIONS.scopes, components })
      mcp.post(path, async () => ({ jsonrpc: '2.0', id: 1, result: {} }))
    })
  }
  await app.register(oauthRoutes, { ...OPTIONS, resources: [{ resource: BILLS }] })
  const call = async (url: string, token: string): Promise<number> => (await app.inject({
    method: 'POST',
    url,
    headers: { authorization: `Bearer ${token}` },
    payload: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami', arguments: {} } }
  })).statusCode

  for (const [resource, own, other] of [[RESOURCE, '/mcp', '/bills'], [BILLS, '/bills', '/mcp']] as const) {
    const client = await register(app)
    const code = await codeOf(app, client, named(resource))
    const answer = await post(app, '/token', { grant_type: 'authorization_code', client_id: client, code, code_verifier: VERIFIER })
    t.equal(await call(own, answer.json().access_token), 200)
    t.equal(await call(other, answer.json().access_token), 401)
  }
})

t.test('tags of a resource are named or not, as it says', async (t) => {
  const components = [{ tool: 'list', tags: ['docs'] }]
  for (const [advertiseTags, tags] of [[undefined, ['tag:docs']], [false, []]] as const) {
    const { app } = await oauthApp(t, {
      routes: { resources: [{ ...bills, components, ...(advertiseTags === undefined ? {} : { advertiseTags }) }] }
    })
    const { scopes_supported: scopes } = (await app.inject('/.well-known/oauth-protected-resource/bills')).json()
    t.strictSame(scopes, ['bills:pay', ...tags])
    t.match((await authorize(app, { resource: BILLS, scope: 'tag:docs' })).body, /Use everything tagged/)
  }
})

t.test('servers beside the components of the guard stop the boot with their path', async (t) => {
  const app = buildApp(t)
  await app.register(pkceStore)
  await app.register(scopeGuard, { issuer: ISSUER, resource: BILLS, scopes: OPTIONS.scopes, components: [] })
  app.post('/bills', async () => 'handled')

  t.throws(() => buildContext(app, { ...OPTIONS, resources: [{ resource: BILLS, servers: {} }] }),
    { code: 'MCPS_ERR_INVALID_OPTION', message: /^resources\.0\.servers cannot be given/ })
})

const wrong: Record<string, [ResourceOptions, RegExp]> = {
  'a resource with a slash at its end': [{ ...bills, resource: `${BILLS}/` }, /^resources\.0\.resource must /],
  'the first resource again': [{ ...bills, resource: RESOURCE }, /^resources\.0\.resource is /],
  'no scope': [{ ...bills, scopes: {} }, /^resources\.0\.scopes must /],
  'a default scope of another resource': [{ ...bills, defaultScopes: ['notes:read'] }, /^resources\.0\.defaultScopes\.0 /],
  'a component with a scope of another resource': [
    { ...bills, components: [{ tool: 'x', scopes: ['notes:read'] }] }, /^resources\.0\.components\.0\.scopes\.0 /],
  'a scope that means something else there': [
    { ...bills, components: [], scopes: { 'notes:read': 'Delete everything' } }, /^resources\.0\.scopes\.notes:read must be the same/],
  'a constraint that nothing meets': [{ ...bills, requireSenderConstraint: true }, /^resources\.0\.requireSenderConstraint /]
}

for (const [what, [further, message]] of Object.entries(wrong)) {
  t.test(`${what} stops the boot with its path`, async (t) => {
    const app = buildApp(t)
    await app.register(pkceStore)
    t.throws(() => buildContext(app, { ...OPTIONS, resources: [further] }), { code: 'MCPS_ERR_INVALID_OPTION', message })
  })
}
