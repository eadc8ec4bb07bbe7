import t from 'tap'
import { buildContext } from '../../../lib/plugins/oauth-routes/context.js'
import { pkceStore } from '../../../lib/plugins/pkce-store.js'
import { scopeGuard } from '../../../lib/plugins/scope-guard.js'
import { resolveLeniencies } from '../../../lib/protocol/leniencies.js'
import type { OAuthRoutesOptions } from '../../../types/options.js'
import { buildApp } from '../../helpers/build-app.js'
import { ISSUER, OPTIONS, RESOURCE } from '../../helpers/oauth-app.js'

const wrong: Record<string, [Partial<OAuthRoutesOptions>, RegExp]> = {
  'an issuer that is no URL': [{ issuer: 'as.example' }, /^issuer must be /],
  'an issuer with a slash at its end': [{ issuer: `${ISSUER}/` }, /^issuer must not /],
  'an issuer without https': [{ issuer: 'http://as.example' }, /^issuer must be /],
  'a resource with a fragment': [{ resource: `${RESOURCE}#x` }, /^resource must /],
  'no scope at all': [{ scopes: {} }, /^scopes must /],
  'a scope that implies an unknown one': [{ scopes: { a: { title: 'A', implies: ['b'] } } }, /^scopes\.a\.implies\[0\] /],
  'a default scope that is unknown': [{ defaultScopes: ['admin'] }, /^defaultScopes\.0 /],
  'a component with an unknown scope': [{ components: [{ tool: 'x', scopes: ['admin'] }] }, /^components\.0\.scopes\.0 /],
  'a component without a name': [{ components: [{ scopes: [] }] }, /^components\.0 must name /],
  'a grant type of the host without a URI': [{ grantTypes: { badge: () => null } }, /^grantTypes\.badge must be named by an absolute URI/],
  'a grant type of the host with a name of the IETF': [{ grantTypes: { 'urn:ietf:params:oauth:grant-type:x': () => null } }, /^grantTypes\.urn:ietf\S+ must not /],
  'ourselves as a further service': [{ tokenExchange: [{ audience: RESOURCE, clients: ['a'], scopes: ['b'] }] }, /^tokenExchange\.0\.audience must not /],
  'an issuer of assertions without TLS': [{ assertionIssuers: [{ issuer: 'http://idp.example', jwksUri: 'https://idp.example/jwks', profile: 'id-jag' }] }, /^assertionIssuers\.0\.issuer must /],
  'an origin for certificates that mean nothing': [{ certificateOrigin: 'https://mtls.example' }, /^certificateOrigin needs clientCertificate/],
  'an origin for certificates with a path': [{ clientCertificate: {}, certificateOrigin: 'https://mtls.example/' }, /^certificateOrigin must /],
  'an origin for certificates without TLS': [{ clientCertificate: {}, certificateOrigin: 'http://localhost' }, /^certificateOrigin must /],
  'a script scheme for redirects': [{ redirectSchemes: ['cursor', 'javascript'] }, /^redirectSchemes\.1 must /]
}

for (const [what, [options, message]] of Object.entries(wrong)) {
  t.test(`${what} stops the boot with its path`, async (t) => {
    const app = buildApp(t)
    await app.register(pkceStore)
    t.throws(() => buildContext(app, { ...OPTIONS, ...options }), { code: 'MCPS_ERR_INVALID_OPTION', message })
  })
}

t.test('without the PKCE store the order is wrong', async (t) => {
  t.throws(() => buildContext(buildApp(t), OPTIONS), { code: 'MCPS_ERR_PART_ORDER', message: /pkceStore/ })
})

t.test('without anybody to ask who is signed in the boot stops', async (t) => {
  const app = buildApp(t)
  await app.register(pkceStore)
  const { signIn: _, ...options } = OPTIONS
  t.throws(() => buildContext(app, options), { code: 'MCPS_ERR_INVALID_OPTION', message: /^signIn is required/ })
})

t.test('the built-in sign-in is used unless the host has its own', async (t) => {
  const app = buildApp(t)
  await app.register(pkceStore)
  const builtIn = () => null
  app.decorate('mcpSignIn', builtIn)
  const { signIn: own, ...options } = OPTIONS
  t.equal(buildContext(app, options).signIn, builtIn)
  t.equal(buildContext(app, OPTIONS).signIn, own)
})

t.test('what is left out has its default', async (t) => {
  const app = buildApp(t)
  await app.register(pkceStore)
  const { issuer, resource, scopes, signIn = () => null } = OPTIONS
  t.match(buildContext(app, { issuer, resource, scopes, signIn }), {
    resourceName: 'as.example',
    origin: 'https://as.example',
    resources: [{ resource, defaultScopes: ['notes:read'], accessTokenLifetime: 900, accessTokenFormat: 'jwt' }],
    registration: true,
    redirectSchemes: [],
    tokens: { leniencies: resolveLeniencies() }
  })
})

t.test('servers without components, where the guard has both, stop the boot', async (t) => {
  const app = buildApp(t)
  await app.register(pkceStore)
  const { components: _, ...options } = OPTIONS
  const { issuer, resource, scopes } = options
  await app.register(scopeGuard, { issuer, resource, scopes })
  app.post('/mcp', async () => 'handled')

  t.throws(() => buildContext(app, { ...options, servers: { wiki: { tags: ['docs'] } } }), { code: 'MCPS_ERR_INVALID_OPTION', message: /^servers cannot be given/ })
})

t.test('components that are left out are those of the guard', async (t) => {
  const app = buildApp(t)
  await app.register(pkceStore)
  const { components: _, ...options } = OPTIONS
  const { issuer, resource, scopes } = options
  await app.register(scopeGuard, { issuer, resource, scopes, components: [{ tool: 'guarded', scopes: [] }] })
  app.post('/mcp', async () => 'handled')

  t.same(buildContext(app, options).resources[0].components.policy().components(), [{ tool: 'guarded', scopes: [] }])
})

t.test('what the token endpoint can do is what was configured, and nothing is there that was not', async (t) => {
  const grantsOf = async (options: Partial<OAuthRoutesOptions>) => {
    const app = buildApp(t)
    await app.register(pkceStore)
    const { tokens, grantProfiles } = buildContext(app, { ...OPTIONS, ...options })
    return { names: [...tokens.grantTypes.keys()], grantProfiles }
  }
  const jwksUri = 'https://idp.example/jwks'
  const always = ['authorization_code', 'refresh_token', 'client_credentials']
  const workloads = [{ clientId: 'job', claims: { sub: 'a' } }]

  t.strictSame(await grantsOf({}), { names: always, grantProfiles: [] })
  t.strictSame(await grantsOf({ assertionIssuers: [{ issuer: 'https://idp.example', jwksUri, profile: 'id-jag' }] }), {
    names: [...always, 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
    grantProfiles: ['urn:ietf:params:oauth:grant-profile:id-jag']
  })
  t.strictSame(await grantsOf({
    assertionIssuers: [{ issuer: 'https://ci.example', jwksUri, profile: 'workload', workloads }],
    tokenExchange: [{ audience: 'https://api.example', clients: ['gateway'], scopes: ['notes:read'] }],
    deviceAuthorization: true,
    grantTypes: { 'https://desk.example/badge': () => null }
  }), { names: [...always, 'urn:ietf:params:oauth:grant-type:device_code', 'urn:ietf:params:oauth:grant-type:jwt-bearer', 'urn:ietf:params:oauth:grant-type:token-exchange', 'https://desk.example/badge'], grantProfiles: [] })
})
