import t from 'tap'
import { pkceStore } from '../../../lib/plugins/pkce-store.js'
import { readSettings } from '../../../lib/plugins/scope-guard/settings.js'
import type { ScopeGuardOptions } from '../../../types/options.js'
import { buildApp } from '../../helpers/build-app.js'
import { stoppedClock } from '../../helpers/clock.js'
import { guardOptions, ISSUER, RESOURCE, verifierOf } from '../../helpers/guard.js'

/** Without a verifier. */
const { verifier: _verifier, clock: _clock, ...own } = guardOptions()

const refused: Record<string, [Partial<ScopeGuardOptions>, RegExp]> = {
  'a resource with a fragment': [{ resource: `${RESOURCE}#a` }, /^resource must have neither/],
  'a resource that is no URL': [{ resource: '/mcp' }, /^resource must be an absolute URL/],
  'a relative mcpPath': [{ mcpPath: 'mcp' }, /^mcpPath must/],
  'an mcpPath with a slash at its end': [{ mcpPath: '/mcp/' }, /^mcpPath must be a path/],
  'an mcpPath with a parameter': [{ mcpPath: '/:tenant/mcp' }, /^mcpPath must be a path/],
  'an mcpPath with a wildcard': [{ mcpPath: '/mcp*' }, /^mcpPath must be a path/],
  'an empty catalogue': [{ scopes: {} }, /^scopes must/],
  'scopes that imply each other': [{ scopes: { a: { title: 'A', implies: ['a'] } } }, /^scopes\.a\.implies/],
  'a rule with an unknown scope': [{ components: [{ tool: 'a', scopes: ['typo'] }] }, /^components\.0\.scopes\.0 is not/],
  'default scopes outside of the catalogue': [{ defaultScopes: ['typo'] }, /^defaultScopes\.0 is not/],
  'proofs of a key asked of nobody': [
    { dpop: {}, requireSenderConstraint: true, authentication: { enabled: false, anonymous: { scopes: ['admin'] } } },
    /^authentication\.anonymous cannot be given together with requireSenderConstraint/
  ],
  'a recheck of more than a minute': [{ recheck: 61 }, /^recheck must/],
  'a recheck of tokens that a verifier remembers': [{ recheck: 5 }, /^recheck cannot be given together with verifier/],
  'room for tokens that a verifier remembers': [{ rememberedTokens: 5 }, /^rememberedTokens cannot be given together with/]
}

/** Without a verifier. */
const refusedIssuers: Record<string, [Omit<ScopeGuardOptions, 'verifier'>, RegExp]> = {
  'an issuer over http': [{ ...own, issuer: 'http://mcp.example.com' }, /^issuer must be https/],
  'an issuer with a slash at its end': [{ ...own, issuer: `${ISSUER}/` }, /^issuer must not end/],
  'no issuer': [{ resource: RESOURCE, scopes: own.scopes }, /^issuer is required without verifier/]
}

for (const [what, [options, message]] of Object.entries(refusedIssuers)) {
  t.test(`${what} stops the boot`, async (t) => {
    const app = buildApp(t)
    await app.register(pkceStore)

    await t.rejects(readSettings(app, options), { code: 'MCPS_ERR_INVALID_OPTION', message })
  })
}

for (const [what, [options, message]] of Object.entries(refused)) {
  t.test(`${what} stops the boot`, async (t) => {
    const app = buildApp(t)

    await t.rejects(readSettings(app, guardOptions(options)), { code: 'MCPS_ERR_INVALID_OPTION', message })
  })
}

t.test('an option that does not exist stops the boot', async (t) => {
  const app = buildApp(t)
  const options = Object.assign(guardOptions(), { verify: async () => null })

  await t.rejects(readSettings(app, options), { message: 'verify is not an option' })
})

t.test('the endpoint is where the resource says, unless mcpPath says otherwise', async (t) => {
  const app = buildApp(t)

  t.equal((await readSettings(app, guardOptions())).mcpPath, '/mcp')
  t.equal((await readSettings(app, guardOptions({ mcpPath: '/behind/a/proxy' }))).mcpPath, '/behind/a/proxy')
  t.equal((await readSettings(app, guardOptions({ resource: ISSUER }))).mcpPath, '/')
})

for (const [prefix, mcpPath, fits] of [
  ['/api', '/api/mcp', true], ['/mcp', '/mcp', true], ['/api/', '/api/mcp', true],
  ['/api', '/mcp', false], ['/api', '/apimcp', false]
] as const) {
  t.test(`a scope with the prefix ${prefix} ${fits ? 'can' : 'cannot'} hold ${mcpPath}`, async (t) => {
    const app = buildApp(t)
    let settings: Promise<unknown> = Promise.resolve()

    await app.register(async (scope) => {
      settings = readSettings(scope, guardOptions({ mcpPath })).catch((error: unknown) => error)
    }, { prefix })

    t.match(await settings, fits ? { mcpPath } : { message: `mcpPath must begin with ${prefix}, the prefix of the scope` })
  })
}

t.test('without a verifier and without the PKCE store the boot stops', async (t) => {
  const app = buildApp(t)

  await t.rejects(readSettings(app, own), { code: 'MCPS_ERR_PART_ORDER' })
})

t.test('with the PKCE store its tokens are verified, by its clock', async (t) => {
  const app = buildApp(t)
  const clock = stoppedClock()
  await app.register(pkceStore, { clock })

  const settings = await readSettings(app, own)

  t.equal(settings.clock, clock)
  await t.rejects(settings.verifier.verify('not-a-token', clock()), { code: 'MCPS_ERR_INVALID_TOKEN' })
})

t.test('a verifier of the host needs no store and goes by the machine\'s clock', async (t) => {
  const app = buildApp(t)

  const settings = await readSettings(app, { ...own, verifier: verifierOf({}) })

  t.equal(settings.clock.name, 'systemClock')
})

t.test('what is remembered of our own tokens, and for how long, is for the guard to say', async (t) => {
  const app = buildApp(t)
  await app.register(pkceStore, { pruneInterval: 0 })

  t.equal((await readSettings(app, { ...own, issuer: ISSUER, rememberedTokens: 0, recheck: 0 })).resource, RESOURCE)
})
