import t from 'tap'
import { secretsEqual, sha256 } from '../../lib/crypto/digest.js'
import { createClientAdmin } from '../../lib/oauth/client-admin.js'
import { hasSameRedirects } from '../../lib/oauth/client-redirects.js'
import type { AuditInput } from '../../types/audit.js'
import type { ClientAdmin, OperatorsClient } from '../../types/client-admin.js'
import { stoppedClock } from '../helpers/clock.js'
import {
  addClient, authorize, buildContext, exchange, LIFETIMES, openFamily, postToken, REDIRECT, refresh, START, VERIFIER,
  type ContextInput
} from '../helpers/token-context.js'

const DAY = 86_400
const redirectUris = [REDIRECT]
const CONFIDENTIAL: OperatorsClient = { name: 'Desk', redirectUris, tokenEndpointAuthMethod: 'client_secret_post' }

function open (input: ContextInput = {}) {
  const context = buildContext(input)
  const clock = stoppedClock(START)
  const events: AuditInput[] = []
  const admin = createClientAdmin({ ...context, clock, report: (event) => { events.push(event) } })
  return { context, admin, clock, events }
}

async function make (admin: ClientAdmin, input: Partial<OperatorsClient> = {}) {
  const { client, secret } = await admin.create({ ...CONFIDENTIAL, ...input })
  return { client, clientId: client.clientId, secret: secret ?? '' }
}

t.test('a client that the operator makes is known at once, never expires, and its secret is kept as a digest', async (t) => {
  const { context, admin, events } = open()
  const { client, clientId, secret } = await make(admin, { scope: 'notes:read' })

  t.match(clientId, /^[\w-]{22}$/)
  t.match(secret, /^[\w-]{43}$/)
  t.match(client, {
    origin: 'admin', issuedAt: START, expiresAt: null, disabled: false, authorized: false, oldSecretEndsAt: null
  })
  const known = await context.clients.find(clientId, START * 2)
  t.match(known, { origin: 'admin', metadata: { client_name: 'Desk', scope: 'notes:read' }, secretDigests: [sha256(secret)] })
  t.notMatch(JSON.stringify([client, events]), secret)
  t.notMatch(JSON.stringify(client), sha256(secret))
  t.strictSame(events, [{ type: 'client.registered', reason: 'made by the operator', clientId }])
})

t.test('a public client has no secret', async (t) => {
  const { admin } = open()

  t.equal((await admin.create({ redirectUris })).secret, null)
})

const wrong: Readonly<Record<string, readonly [object, RegExp]>> = {
  'a script redirect URI': [{ redirectUris: ['javascript:alert(1)'] }, /^client\.redirectUris\[0\]/],
  'no redirect URI': [{ redirectUris: [] }, /^client\.redirectUris/],
  'an id of its own': [{ redirectUris, clientId: 'mine' }, /^client\.clientId/],
  'a secret of its own': [{ redirectUris, secret: 'x'.repeat(32) }, /^client\.secret/],
  'a scope that is none': [{ redirectUris, scope: 'a  b' }, /^client\.scope/],
  'an unknown member': [{ redirectUris, admin: true }, /^client\.admin/]
}

for (const [name, [input, message]] of Object.entries(wrong)) {
  t.test(`${name} is refused, and nothing is kept or changed`, async (t) => {
    const { admin, events } = open()
    const { clientId } = await make(admin)
    events.length = 0

    await t.rejects(admin.create(input as OperatorsClient), { code: 'MCPS_ERR_INVALID_OPTION', message })
    await t.rejects(admin.update(clientId, input as OperatorsClient), { code: 'MCPS_ERR_INVALID_OPTION', message })
    t.equal((await admin.list()).clients.length, 1)
    t.strictSame(events, [])
  })
}

t.test('clients are listed page by page, all or those that the operator made', async (t) => {
  const { context, admin } = open()
  for (let i = 0; i < 5; i++) await make(admin)
  await addClient(context, { client_name: 'Stranger' })
  const seen: string[] = []
  let after: string | undefined
  do {
    const { clients, cursor } = await admin.list({ limit: 2, ...(after === undefined ? {} : { after }) })
    seen.push(...clients.map(({ clientId }) => clientId))
    after = cursor ?? undefined
  } while (after !== undefined)

  t.equal(new Set(seen).size, 6)
  t.equal((await admin.list({ origin: 'admin' })).clients.length, 5)
})

t.test('a client that a user authorized is listed as such', async (t) => {
  const { context, admin } = open()
  const { clientId } = await openFamily(context)

  t.match(await admin.find(clientId), { authorized: true, origin: 'dynamic', expiresAt: START + LIFETIMES.idleClient })
  t.equal(await admin.find('a'.repeat(22)), null)
})

t.test('two secrets are good while one takes the place of the other, and never a third', async (t) => {
  const { context, admin, clock } = open()
  const { clientId, secret: first } = await make(admin)
  const isGood = async (secret: string) =>
    (await context.clients.find(clientId, clock()))?.secretDigests.some((one) => secretsEqual(one, sha256(secret)))
  const second = (await admin.rotateSecret(clientId, { overlap: 600 }))?.secret ?? ''
  t.ok(await isGood(first))
  t.ok(await isGood(second))

  const third = (await admin.rotateSecret(clientId, { overlap: 600 }))?.secret ?? ''
  t.notOk(await isGood(first))
  t.ok(await isGood(second))
  t.ok(await isGood(third))

  clock.advance(600)
  t.notOk(await isGood(second))
  t.ok(await isGood(third))
  t.match(await admin.rotateSecret(clientId), { client: { oldSecretEndsAt: clock() + DAY } })
  await admin.rotateSecret(clientId, { overlap: 0 })
  t.notOk(await isGood(third))
})

t.test('rotations at the same moment leave two secrets that are good', async (t) => {
  const { context, admin } = open()
  const { clientId } = await make(admin)
  const made = await Promise.all([admin.rotateSecret(clientId), admin.rotateSecret(clientId)])
  const known = (await context.clients.find(clientId, START))?.secretDigests ?? []

  t.strictSame([...known].sort(), made.map((one) => sha256(one?.secret ?? '')).sort())
})

t.test('there is nothing to rotate for a client without a secret, or of somebody else', async (t) => {
  const { context, admin } = open()
  const { clientId } = await make(admin, { tokenEndpointAuthMethod: 'none' })
  const { client } = await addClient(context, { token_endpoint_auth_method: 'client_secret_post' })

  for (const id of [clientId, client.clientId, 'a'.repeat(22), 'x']) t.equal(await admin.rotateSecret(id), null)
  for (const overlap of [-1, 0.5, 32 * DAY, NaN]) await t.rejects(admin.rotateSecret(clientId, { overlap }), RangeError)
})

t.test('another redirect URI ends what was not exchanged, and leaves the secret and what was', async (t) => {
  const { context, admin, events } = open()
  const { clientId, secret } = await make(admin)
  const credentials = { client_id: clientId, client_secret: secret }
  const { code } = await authorize(context, clientId)
  const { tokens } = await exchange(context, { ...credentials, code })
  const { code: late } = await authorize(context, clientId)
  t.match(await admin.update(clientId, { ...CONFIDENTIAL, name: 'Renamed' }), { secret: null })
  const { code: still } = await authorize(context, clientId)

  t.match(await admin.update(clientId, { ...CONFIDENTIAL, redirectUris: ['https://new.example/cb'] }), {
    secret: null, client: { metadata: { redirect_uris: ['https://new.example/cb'] } }
  })
  for (const one of [late, still]) await t.rejects(exchange(context, { ...credentials, code: one }), { code: 'invalid_grant' })
  await t.resolves(refresh(context, { ...credentials, refresh_token: tokens.refresh_token ?? '' }))
  t.match(events.at(-1), { type: 'client.changed', clientId })
})

t.test('a client that comes to need a secret gets one, one that needs it no more loses it', async (t) => {
  const { context, admin } = open()
  const { clientId, secret } = await make(admin)
  t.match(await admin.update(clientId, { redirectUris }), { secret: null })
  t.strictSame((await context.clients.find(clientId, START))?.secretDigests, [])

  const updated = await admin.update(clientId, CONFIDENTIAL)
  t.strictSame((await context.clients.find(clientId, START))?.secretDigests, [sha256(updated?.secret ?? '')])
  t.not(updated?.secret, secret)
})

t.test('a client that may no longer ask about tokens does not', async (t) => {
  const { context, admin } = open()
  const { clientId, secret } = await make(admin, { introspects: ['https://mcp.example/mcp'] })
  const updated = await admin.update(clientId, CONFIDENTIAL)

  t.notOk('introspects' in (updated?.client ?? {}))
  const known = await context.clients.find(clientId, START)
  t.notOk('introspects' in (known ?? {}))
  t.match(known, { origin: 'admin', issuedAt: START, secretDigests: [sha256(secret)] })
  await admin.update(clientId, { ...CONFIDENTIAL, introspects: ['https://mcp.example/mcp'] })
  t.match(await context.clients.find(clientId, START), { introspects: ['https://mcp.example/mcp'] })
})

t.test('only clients that the operator made are changed', async (t) => {
  const { context, admin } = open()
  const { client } = await addClient(context)

  t.equal(await admin.update(client.clientId, CONFIDENTIAL), null)
  t.equal(await admin.update('a'.repeat(22), CONFIDENTIAL), null)
  t.strictSame(await context.clients.find(client.clientId, START), client)
})

t.test('a client that is switched off gets nothing anywhere, and its users are asked again when it comes back', async (t) => {
  const { context, admin, events } = open()
  const { clientId, grantId, refreshToken } = await openFamily(context)
  const { code } = await authorize(context, clientId)
  t.ok(await admin.disable(clientId))

  t.equal(await context.clients.find(clientId, START), null)
  t.notOk(await context.grants.isLive(grantId, START))
  t.match(events.map(({ type }) => type), ['client.changed', 'grant.revoked'])
  await t.rejects(exchange(context, { client_id: clientId, code }), { code: 'invalid_client' })

  t.ok(await admin.enable(clientId))
  t.match(await context.clients.find(clientId, START), { clientId })
  await t.rejects(refresh(context, { client_id: clientId, refresh_token: refreshToken }), { code: 'invalid_grant' })
  const again = { grant_type: 'authorization_code', client_id: clientId, code, code_verifier: VERIFIER }
  await t.rejects(postToken(context, again), { code: 'invalid_grant' })
  for (const id of ['a'.repeat(22), 'x']) t.notOk(await admin.disable(id) || await admin.enable(id))
})

t.test('a client that is removed is gone with its grants', async (t) => {
  const { context, admin, events } = open()
  const { clientId, grantId } = await openFamily(context)
  t.ok(await admin.remove(clientId))

  t.equal(await context.clients.find(clientId, START), null)
  t.equal(await admin.find(clientId), null)
  t.notOk(await context.grants.isLive(grantId, START))
  t.match(events.map(({ type }) => type), ['client.removed', 'grant.revoked'])
  t.notOk(await admin.remove(clientId))
})

t.test('a client that its id describes does not come back when it was removed', async (t) => {
  const { context, admin } = open({ maxClients: 2 })
  await addClient(context)
  const { client, how } = await addClient(context)
  t.equal(how, 'self-contained')
  await context.clients.keepAlive(client, START)
  t.ok(await admin.remove(client.clientId))

  t.equal(await context.clients.find(client.clientId, START), null)
  t.equal(await context.clients.find(client.clientId, START + LIFETIMES.unusedClient), null)
})

t.test('a client that its id describes is shut out before anybody has authorized it', async (t) => {
  for (const verb of ['disable', 'remove'] as const) {
    const { context, admin, events } = open({ maxClients: 0 })
    const { client: { clientId } } = await addClient(context)
    t.ok(clientId.length > 22 && await context.clients.find(clientId, START) !== null)

    t.ok(await admin[verb](clientId))
    t.equal(await context.clients.find(clientId, START), null)
    t.equal(await context.clients.find(clientId, START + LIFETIMES.unusedClient), null)
    t.match(events, [{ clientId }])
    t.notOk(await admin[verb](`${clientId.slice(0, -1)}${clientId.endsWith('A') ? 'B' : 'A'}`), 'one that we did not write')
  }
})

t.test('an id that is taken is not used', async (t) => {
  const { records } = buildContext()
  const answers = [false]
  const { admin } = open({
    records: { ...records, add: async (record, now) => answers.shift() ?? await records.add(record, now) }
  })

  t.ok((await make(admin)).clientId)
  t.equal((await admin.list()).clients.length, 1)
})

t.test('a change that never comes first is not made', async (t) => {
  const { records } = buildContext()
  const { admin } = open({ records: { ...records, replace: async () => false } })
  const { clientId } = await make(admin)

  t.notOk(await admin.disable(clientId))
})

t.test('the same redirect URIs are the same in any order', async (t) => {
  const { context } = open()
  const { client } = await addClient(context, { redirect_uris: ['https://a.example/', 'https://b.example/'] })
  const like = (uris: string[]) => ({ ...client, metadata: { ...client.metadata, redirect_uris: uris } })

  t.ok(hasSameRedirects(client, like(['https://b.example/', 'https://a.example/'])))
  t.notOk(hasSameRedirects(client, like(['https://a.example/'])))
  t.notOk(hasSameRedirects(client, like(['https://a.example/', 'https://b.example/', 'https://c.example/'])))
  t.notOk(hasSameRedirects(client, like(['https://a.example/', 'https://c.example/'])))
})
