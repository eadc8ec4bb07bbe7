import t from 'tap'
import { openKeyring } from '../../lib/crypto/keyring.js'
import { StoreUnavailableError } from '../../lib/stores/errors.js'
import { issueAccessToken } from '../../lib/tokens/access-token.js'
import { InvalidTokenError } from '../../lib/tokens/errors.js'
import { createOwnTokenVerifier, type OwnTokenVerifierInput } from '../../lib/tokens/own-token-verifier.js'
import { buildContext, ISSUER, openFamily, RESOURCE, START } from '../helpers/token-context.js'

const context = buildContext()
const opaque = buildContext({ records: context.records, accessTokenFormat: 'opaque' })
const grant = {
  grantId: 'g'.repeat(22), clientId: 'c', subject: 'alice', resource: RESOURCE, authenticatedAt: START, acr: null, amr: []
}
const token = await issueAccessToken({
  keyring: context.keyring, issuer: ISSUER, grant, scopes: ['s'], confirmation: null, expiresAt: START + 900, now: START
})

const active = await context.grants.find((await openFamily(context)).grantId, START)
const { find: findGrant } = context.grants

type Overrides = Partial<OwnTokenVerifierInput> & { isLive?: (grantId: string, now: number) => Promise<boolean> }

function buildVerifier ({ isLive = async () => true, ...others }: Overrides = {}) {
  let looks = 0
  const verifier = createOwnTokenVerifier({
    keyring: context.keyring,
    secrets: context.secrets,
    issuer: ISSUER,
    resource: RESOURCE,
    tenant: 'default',
    remembered: 100,
    recheck: 5,
    findGrant: async (grantId, now) => {
      looks += 1
      return await isLive(grantId, now) ? active : null
    },
    ...others
  })
  return Object.assign(verifier, { looks: () => looks })
}

t.test('a verified token is recalled without a look at its grant', async (t) => {
  const verifier = buildVerifier()
  t.equal(verifier.recall(token, START), undefined)

  const principal = await verifier.verify(token, START)

  t.match(principal, { subject: 'alice', clientId: 'c', grantId: grant.grantId, credential: 'access-token' })
  t.equal(verifier.recall(token, START + 4), principal)
  t.equal(verifier.looks(), 1)
})

t.test('after recheck seconds the grant is looked up again, and the token is recalled again', async (t) => {
  const verifier = buildVerifier()
  const principal = await verifier.verify(token, START)

  t.equal(verifier.recall(token, START + 5), undefined)
  t.equal(await verifier.verify(token, START + 5), principal)
  t.equal(verifier.recall(token, START + 9), principal)
  t.equal(verifier.looks(), 2)
})

t.test('a grant that tells its version at once is looked up no more while that stays', async (t) => {
  const { grants } = context
  const { grantId } = await openFamily(context)
  const own = await issueAccessToken({
    keyring: context.keyring, issuer: ISSUER, grant: { ...grant, grantId }, scopes: ['s'], confirmation: null, expiresAt: START + 900, now: START
  })
  const verifier = buildVerifier({ isLive: grants.isLive, versionOf: grants.versionOf })
  const principal = await verifier.verify(own, START)

  t.equal(verifier.recall(own, START + 100), principal)
  await grants.revoke(grantId, START + 100)
  t.equal(verifier.recall(own, START + 105), undefined)
  await t.rejects(verifier.verify(own, START + 105), new InvalidTokenError('the grant has ended'))
  t.equal(verifier.looks(), 2)
})

t.test('a revocation by another process is seen at the next look', async (t) => {
  let live = true
  const verifier = buildVerifier({ isLive: async () => live })
  await verifier.verify(token, START)
  live = false

  t.ok(verifier.recall(token, START + 4))
  await t.rejects(verifier.verify(token, START + 5), new InvalidTokenError('the grant has ended'))
  t.equal(verifier.recall(token, START + 5), undefined)
})

t.test('a revocation that is told is in force at once', async (t) => {
  let live = true
  const verifier = buildVerifier({ isLive: async () => live })
  await verifier.verify(token, START)
  live = false
  verifier.forget(grant.grantId)

  t.equal(verifier.recall(token, START), undefined)
  await t.rejects(verifier.verify(token, START), InvalidTokenError)
})

t.test('a revocation while the grant is looked up refuses the token and leaves nothing behind', async (t) => {
  const answers = [true, false]
  const verifier = buildVerifier({
    isLive: async () => {
      const live = answers.shift() ?? false
      if (live) verifier.forget(grant.grantId)
      return live
    }
  })

  await t.rejects(verifier.verify(token, START), new InvalidTokenError('the grant has ended'))
  t.equal(verifier.recall(token, START), undefined)
})

t.test('when other grants are revoked all the time the token is good, but not remembered', async (t) => {
  const verifier = buildVerifier({
    isLive: async () => {
      verifier.forget('another grant')
      return true
    }
  })

  t.equal((await verifier.verify(token, START)).subject, 'alice')
  t.equal(verifier.recall(token, START), undefined)
  t.equal(verifier.looks(), 2)
})

t.test('an expired token is refused although it is remembered', async (t) => {
  const verifier = buildVerifier({ recheck: 60 })
  await verifier.verify(token, START + 890)

  t.equal(verifier.recall(token, START + 900), undefined)
  await t.rejects(verifier.verify(token, START + 900), new InvalidTokenError('expired'))
})

t.test('a forged token costs no look at the store', async (t) => {
  const verifier = buildVerifier()
  await t.rejects(verifier.verify(`${token.slice(0, -6)}AAAAAA`, START), new InvalidTokenError('bad signature'))

  t.equal(verifier.looks(), 0)
})

t.test('a token for another resource or issuer is refused although our key signed it', async (t) => {
  const elsewhere = buildVerifier({ resource: 'https://mcp.example/other' })
  const renamed = buildVerifier({ issuer: 'https://as.example/t2' })

  await t.rejects(elsewhere.verify(token, START), new InvalidTokenError('wrong audience'))
  await t.rejects(renamed.verify(token, START), new InvalidTokenError('wrong issuer'))
})

t.test('a store that cannot be reached is passed on, and nothing is remembered', async (t) => {
  const verifier = buildVerifier({ isLive: async () => { throw new StoreUnavailableError('down') } })

  await t.rejects(verifier.verify(token, START), StoreUnavailableError)
  t.equal(verifier.recall(token, START), undefined)
})

t.test('a token of a real grant is good until the grant is revoked', async (t) => {
  const { grants } = context
  const verifier = buildVerifier({ isLive: grants.isLive })
  const stop = await grants.onRevoked(verifier.forget)
  t.teardown(stop)
  const { accessToken, grantId } = await openFamily(context)
  await verifier.verify(accessToken, START)

  await grants.revoke(grantId, START)

  t.equal(verifier.recall(accessToken, START), undefined)
  await t.rejects(verifier.verify(accessToken, START), InvalidTokenError)
})

t.test('an opaque token is good with what its grant holds of it, and is recalled like a JWT', async (t) => {
  const verifier = buildVerifier({ findGrant })
  const { accessToken, grantId, clientId } = await openFamily(opaque)

  const principal = await verifier.verify(accessToken, START)

  t.match(principal, {
    subject: 'alice',
    clientId,
    issuer: ISSUER,
    resource: RESOURCE,
    scopes: ['notes:read', 'notes:write'],
    grantId,
    credential: 'access-token',
    authenticatedAt: START - 100,
    expiresAt: START + 900
  })
  t.equal(verifier.recall(accessToken, START + 4), principal)
  t.equal(verifier.recall(accessToken, START + 5), undefined)
  t.equal((await verifier.verify(accessToken, START + 5)).subject, 'alice')
})

t.test('an opaque token is refused when it expired, was revoked, or is for another resource or issuer', async (t) => {
  const { accessToken, grantId } = await openFamily(opaque)
  const refused = (reason: string, more: Partial<OwnTokenVerifierInput> = {}, now = START) =>
    t.rejects(buildVerifier({ findGrant, ...more }).verify(accessToken, now), new InvalidTokenError(reason))

  await refused('expired', {}, START + 900)
  await refused('wrong audience', { resource: 'https://mcp.example/other' })
  await refused('wrong issuer', { issuer: 'https://as.example/t2' })
  await opaque.grants.revoke(grantId, START)
  await refused('the grant has ended')
})

t.test('a forged opaque token costs no look at the store', async (t) => {
  let looks = 0
  const verifier = buildVerifier({
    findGrant: async () => {
      looks += 1
      return null
    }
  })
  const { accessToken } = await openFamily(opaque)

  for (const forged of ['mcps_at_', `${accessToken.slice(0, -6)}AAAAAA`, accessToken.replace(/at_./, 'at_~')]) {
    await t.rejects(verifier.verify(forged, START), new InvalidTokenError('not a token of ours'))
  }
  t.equal(looks, 0)
})

t.test('a revocation while an opaque token is looked up refuses it and leaves nothing behind', async (t) => {
  const { accessToken, grantId } = await openFamily(opaque)
  const verifier = buildVerifier({
    findGrant: async (id, now) => {
      const grant = await opaque.grants.find(id, now)
      if (await opaque.grants.revoke(id, now)) verifier.forget(grantId)
      return grant
    }
  })

  await t.rejects(verifier.verify(accessToken, START), new InvalidTokenError('the grant has ended'))
  t.equal(verifier.recall(accessToken, START), undefined)
})

t.test('what the user consented to comes with the grant, for tokens of both formats, and stays with the token', async (t) => {
  const verifier = buildVerifier({ findGrant, recheck: 0 })
  for (const formatted of [context, opaque]) {
    const pinned = await openFamily(formatted, { consented: ['one', 'two'] })
    const principal = await verifier.verify(pinned.accessToken, START)
    const free = await openFamily(formatted)

    t.strictSame(principal.consented, ['one', 'two'])
    t.ok(Object.isFrozen(principal) && Object.isFrozen(principal.consented))
    t.strictSame((await verifier.verify(pinned.accessToken, START + 1)).consented, ['one', 'two'])
    t.notOk('consented' in await verifier.verify(free.accessToken, START))
    const elsewhere = await openFamily(formatted, { consented: ['one'], unpinned: ['https://elsewhere.example'] })
    t.strictSame((await verifier.verify(elsewhere.accessToken, START)).consented, ['one'])
    const unpinned = await openFamily(formatted, { consented: ['one'], unpinned: [principal.resource] })
    t.notOk('consented' in await verifier.verify(unpinned.accessToken, START))
  }
})

t.test('a token of a key that another instance made a moment ago is good, by one look at the keys', async (t) => {
  const { records, secrets } = context
  const options = { records, tenant: 'default', secrets, clock: () => START }
  const [keyring, elsewhere] = [await openKeyring(options), await openKeyring(options)]
  const verifier = buildVerifier({ keyring })
  await elsewhere.rotate({ after: 0 })
  const issued = await issueAccessToken({
    keyring: elsewhere, issuer: ISSUER, grant, scopes: ['s'], expiresAt: START + 900, now: START, confirmation: null
  })

  t.match(await verifier.verify(issued, START), { subject: 'alice' })
  t.equal(keyring.current.kid, elsewhere.current.kid)
})

t.test('what a key signed that is taken away is refused at once, although it was remembered; the rest is not', async (t) => {
  const { records, secrets } = context
  const keyring = await openKeyring({ records, tenant: 'taken', secrets, clock: () => START })
  const verifier = buildVerifier({ keyring })
  const issue = () => issueAccessToken({
    keyring, issuer: ISSUER, grant, scopes: ['s'], expiresAt: START + 900, now: START, confirmation: null
  })
  const before = await issue()
  const { kid } = keyring.current
  await verifier.verify(before, START)
  await keyring.rotate({ after: 0 })
  t.ok(verifier.recall(before, START), 'a rotation forgets nothing')
  const after = await issue()
  await keyring.remove(kid)

  t.equal(verifier.recall(before, START), undefined)
  await t.rejects(verifier.verify(before, START), new InvalidTokenError('unknown header'))
  t.match(await verifier.verify(after, START), { subject: 'alice' })
})
