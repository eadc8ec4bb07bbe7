import t from 'tap'
import type { FastifyInstance } from 'fastify'
import { pinOf } from '../../../lib/access/pins.js'
import { buildConsentModel, consentedBy, inWords } from '../../../lib/plugins/oauth-routes/consent-model.js'
import { buildContext, type OAuthContext } from '../../../lib/plugins/oauth-routes/context.js'
import type { OAuthRoutesOptions } from '../../../types/options.js'
import type { SignedInUser } from '../../../types/sign-in.js'
import type { ConsentModel } from '../../../lib/pages/consent-page.js'
import { buildApp, type Teardown } from '../../helpers/build-app.js'
import { LOOPBACK, OPTIONS } from '../../helpers/oauth-app.js'
import { pkceStore } from '../../../lib/plugins/pkce-store.js'

async function contextOf (t: Teardown, routes: Partial<OAuthRoutesOptions> = {}): Promise<OAuthContext> {
  const app: FastifyInstance = buildApp(t)
  await app.register(pkceStore, { clients: [{ clientId: 'house', redirectUris: ['https://house.example/cb'] }] })
  return buildContext(app, { ...OPTIONS, ...routes })
}

async function modelOf (context: OAuthContext, { scopes = ['notes:read'], clientId = 'house', redirectUri = 'https://house.example/cb', age = 0, user = { subject: 'u-1' } }: {
  scopes?: string[], clientId?: string, redirectUri?: string, age?: number, user?: SignedInUser
}): Promise<ConsentModel> {
  const { clients, grants } = context.store
  const now = 1_700_000_000
  const client = clientId === 'house'
    ? await clients.find(clientId, now)
    : (await clients.register({
        metadata: { redirect_uris: [redirectUri], token_endpoint_auth_method: 'none', grant_types: [], response_types: [] },
        authenticationMethods: ['none']
      }, now - age)).client
  if (client === null) throw new Error('there is no such client')
  const { grant } = await grants.request({
    clientId: client.clientId, subject: 'u-1', redirectUri, resource: context.resources[0].resource, scopes, state: null, codeChallenge: '', authenticatedAt: now, acr: null, amr: []
  }, now)
  return buildConsentModel(context, { client, grant, user, handle: 'h', csrf: 'c', now })
}

const opened = ({ scopes }: ConsentModel): Record<string, string[]> =>
  Object.fromEntries(scopes.map(({ name, components }) => [name, components.map(({ title, destructive }) => destructive ? `${title}!` : title)]))

t.test('a scope that implies another opens its tools too', async (t) => {
  const model = await modelOf(await contextOf(t), { scopes: ['notes:write'] })
  t.same(opened(model), { 'notes:write': ['whoami', 'List notes', 'delete_note!'] })
})

t.test('each scope shows its own tools, those for everybody under each', async (t) => {
  const model = await modelOf(await contextOf(t), { scopes: ['notes:read', 'notes:write'] })
  t.same(opened(model), { 'notes:read': ['whoami', 'List notes'], 'notes:write': ['whoami', 'List notes', 'delete_note!'] })
})

t.test('a component that needs two scopes shows under both when both are asked for, else not at all', async (t) => {
  const context = await contextOf(t, {
    scopes: { a: 'A', b: 'B' }, components: [{ prompt: 'both', scopes: ['a', 'b'] }, { resource: 'file:///x', scopes: ['a'] }]
  })
  t.same(opened(await modelOf(context, { scopes: ['a', 'b'] })), { a: ['both', 'file:///x'], b: ['both'] })
  t.same(opened(await modelOf(context, { scopes: ['a'] })), { a: ['file:///x'] })
})

t.test('a grant is pinned to what the page shows and is destructive, where it knows any component', async (t) => {
  const { components, ...bare } = OPTIONS
  const pin = pinOf({ kind: 'tool', name: 'delete_note' }, OPTIONS.resource)
  const grantOf = (...scopes: string[]) => ({ resource: OPTIONS.resource, scopes })

  t.same(consentedBy(grantOf('notes:write'), await contextOf(t)), { consented: [pin] })
  t.same(consentedBy(grantOf('notes:read'), await contextOf(t)), { consented: [] })
  t.same(consentedBy(grantOf('notes:write'), await contextOf(t, { components: [] })), { consented: [] })
  const app = buildApp(t)
  await app.register(pkceStore, {})
  t.same(consentedBy(grantOf('notes:write'), buildContext(app, bare)), {})
  const elsewhere = 'https://elsewhere.example/mcp'
  t.same(
    consentedBy({ ...grantOf('notes:write'), furtherResources: [elsewhere] }, await contextOf(t, { resources: [{ resource: elsewhere }] })),
    { consented: [pin], unpinned: [elsewhere] })
})

t.test('every scope is ticked, in words', async (t) => {
  const { scopes } = await modelOf(await contextOf(t), { scopes: ['notes:read', 'notes:write'] })
  t.match(scopes, [
    { name: 'notes:read', title: 'Read your notes', checked: true },
    { name: 'notes:write', title: 'Change your notes', description: 'Adds and deletes.', checked: true }
  ])
  t.notOk('description' in (scopes[0] ?? {}))
})

t.test('a configured client is vouched for', async (t) => {
  t.match(await modelOf(await contextOf(t), {}), {
    clientName: '',
    clientId: 'house',
    trust: { by: 'operator' },
    rememberedFor: null,
    loopback: false,
    redirectHost: 'house.example',
    action: '/authorize/consent',
    user: 'u-1',
    site: 'Notes',
    resources: [{ resource: 'https://as.example/mcp', name: 'Notes' }]
  })
})

t.test('the user is greeted by name, and offered a way out where the host has one', async (t) => {
  const user = { subject: 'u-1', name: 'Alice', signOutAction: '/bye' }
  t.match(await modelOf(await contextOf(t), { user }), { user: 'Alice', signOutAction: '/bye' })
  t.notOk('signOutAction' in await modelOf(await contextOf(t), {}))
})

t.test('a self-registered client is not, and says how long ago it came', async (t) => {
  const model = await modelOf(await contextOf(t), { clientId: 'new', redirectUri: LOOPBACK, age: 180 })
  t.match(model, { trust: { by: 'nobody', since: '3 minutes' }, loopback: true, redirectHost: '127.0.0.1:4711' })
})

t.test('times are put in words by the largest unit that fits', async (t) => {
  t.same([0, 59, 60, 119, 3599, 3600, 86_399, 86_400, 172_800].map(inWords), [
    'less than a minute', 'less than a minute', '1 minute', '1 minute', '59 minutes', '1 hour', '23 hours', '1 day', '2 days'
  ])
})

t.test('a resource template is shown as it is written', async (t) => {
  const components = [{ resourceTemplate: 'notes://{id}', scopes: ['notes:read'] }]
  t.same(opened(await modelOf(await contextOf(t, { components }), {})), { 'notes:read': ['notes://{id}'] })
})
