import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { pkceStore } from '../../../lib/plugins/pkce-store.js'
import { ownVerifier } from '../../../lib/plugins/support/own-verifier.js'
import { chosenVerifier } from '../../../lib/tokens/chosen-verifier.js'
import { jwksVerifier } from '../../../lib/tokens/jwks-verifier.js'
import { memoryStore } from '../../../lib/stores/memory.js'
import { issueAccessToken } from '../../../lib/tokens/access-token.js'
import type { Grant } from '../../../types/oauth.js'
import type { OwnVerifierOptions } from '../../../types/options.js'
import type { RecordStore } from '../../../types/stores.js'
import { buildApp } from '../../helpers/build-app.js'
import { stoppedClock } from '../../helpers/clock.js'
import { foreignServer } from '../../helpers/foreign-server.js'
import { ISSUER, RESOURCE } from '../../helpers/guard.js'

const options = { issuer: ISSUER, resource: RESOURCE }

/** A grant as the token endpoint leaves it: active, with its first tokens out. */
async function activeGrant (app: FastifyInstance, now: number): Promise<Grant> {
  const { grants } = app.pkceStore
  const asked = await grants.request({
    clientId: 'client-1',
    subject: 'user-1',
    redirectUri: 'http://127.0.0.1/cb',
    resource: RESOURCE,
    scopes: ['notes:read'],
    state: null,
    codeChallenge: 'x'.repeat(43),
    authenticatedAt: now,
    acr: null,
    amr: []
  }, now)
  const held = await grants.read(asked.grant.grantId, now)
  if (held === null) throw new Error('the grant is not there')
  const active: Grant = { ...held.grant, status: 'active', exchangedAt: now }
  if (!await grants.advance(held, active, now)) throw new Error('somebody else was first')
  return active
}

async function start (t: Parameters<typeof buildApp>[0], store: RecordStore = memoryStore()) {
  const app = buildApp(t)
  const clock = stoppedClock()
  await app.register(pkceStore, { store, secrets: ['s'.repeat(32)], clock, pruneInterval: 0 })
  const grant = await activeGrant(app, clock())
  const verifier = await ownVerifier(app, options)
  const token = await issueAccessToken({
    keyring: app.pkceStore.keyring,
    issuer: ISSUER,
    grant,
    scopes: grant.scopes,
    confirmation: null,
    expiresAt: clock() + 900,
    now: clock()
  })
  return { app, clock, grant, verifier, token }
}

t.test('a token of ours is verified once and then remembered', async (t) => {
  const { clock, verifier, token } = await start(t)

  t.equal(verifier.recall(token, clock()), undefined)
  t.match(await verifier.verify(token, clock()), { subject: 'user-1', resource: RESOURCE, scopes: ['notes:read'] })
  t.match(verifier.recall(token, clock()), { subject: 'user-1' })
})

t.test('a remembered token of a revoked grant is forgotten at once', async (t) => {
  const { app, clock, grant, verifier, token } = await start(t)
  await verifier.verify(token, clock())

  await app.pkceStore.grants.revoke(grant.grantId, clock())

  t.equal(verifier.recall(token, clock()), undefined)
  await t.rejects(verifier.verify(token, clock()), { code: 'MCPS_ERR_INVALID_TOKEN' })
})

t.test('a remembered token is asked for again after five seconds, where the store cannot say at once that nothing changed', async (t) => {
  const distant = new Proxy(memoryStore(), {
    get: (store, name) => name === 'versionOf' ? undefined : Reflect.get(store, name)
  })
  const { clock, verifier, token } = await start(t, distant)
  await verifier.verify(token, clock())

  clock.advance(5)

  t.equal(verifier.recall(token, clock()), undefined)
})

t.test('a remembered token is not asked for again where the store says at once that nothing changed', async (t) => {
  const { app, clock, grant, verifier, token } = await start(t)
  await verifier.verify(token, clock())

  clock.advance(5)

  t.match(verifier.recall(token, clock()), { subject: 'user-1' })
  await app.pkceStore.grants.revoke(grant.grantId, clock())
  t.equal(verifier.recall(token, clock()), undefined)
})

t.test('without the PKCE store it cannot be made', async (t) => {
  const app = buildApp(t)

  await t.rejects(ownVerifier(app, options), { code: 'MCPS_ERR_PART_ORDER' })
})

const wrong: Readonly<Record<string, readonly [object, string]>> = {
  'an issuer that is none': [{ ...options, issuer: 'https://as.example/' }, 'issuer '],
  'no resource': [{ issuer: ISSUER }, 'resource '],
  'a resource with a fragment': [{ ...options, resource: `${RESOURCE}#x` }, 'resource '],
  'an option of the guard': [{ ...options, scopes: {} }, 'scopes ']
}
for (const [what, [given, path]] of Object.entries(wrong)) {
  t.test(`${what} stops the boot`, async (t) => {
    const app = buildApp(t)
    await app.register(pkceStore, { pruneInterval: 0 })

    const making = ownVerifier(app, given as OwnVerifierOptions)
    await t.rejects(making, { code: 'MCPS_ERR_INVALID_OPTION', message: new RegExp(`^${path}`) })
  })
}

t.test('tokens of our own and of another server are taken side by side, each by its own verifier', async (t) => {
  const { app, clock, grant, verifier: own, token } = await start(t)
  const foreign = await foreignServer(t)
  const { issuer, jwksUri } = foreign
  const verifier = chosenVerifier({
    issuers: { [ISSUER]: own, [issuer]: jwksVerifier({ issuer, jwksUri, resource: RESOURCE }) }, opaque: own
  })

  t.match(await verifier.verify(token, clock()), { subject: 'user-1', issuer: ISSUER, credential: 'access-token' })
  t.match(await verifier.verify(foreign.token(), clock()), { credential: 'foreign-token' })
  await t.rejects(verifier.verify('mcps_at_x', clock()), { code: 'MCPS_ERR_INVALID_TOKEN' })
  await app.pkceStore.grants.revoke(grant.grantId, clock())
  t.equal(verifier.recall(token, clock()), undefined)
})
