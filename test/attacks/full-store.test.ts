import Libsql from 'libsql'
import t, { type Test } from 'tap'
import { mcpSecurity } from '../../lib/index.js'
import { StoreUnavailableError } from '../../lib/stores/errors.js'
import { memoryStore } from '../../lib/stores/memory.js'
import { sqliteStore } from '../../lib/stores/sqlite.js'
import type { RecordStore } from '../../types/stores.js'
import { buildApp } from '../helpers/build-app.js'
import { stoppedClock } from '../helpers/clock.js'
import { authorizationUrl, authorize, codeFor, LOOPBACK, OPTIONS, post, register, SECRET, STATICS, VERIFIER } from '../helpers/oauth-app.js'
import { newDatabase } from '../stores/sqlite-handles.js'

// Somebody fills the memory of the server: what is new is refused with 503, and nobody who is here is let go (RS-16).

const MAX = 50

async function fullServer (t: Test) {
  const clock = stoppedClock()
  const store = memoryStore({ maxRecords: MAX })
  const app = buildApp(t)
  await app.register(mcpSecurity, {
    ...OPTIONS, store, secrets: [SECRET], clients: STATICS, clock, pruneInterval: 0, originGuard: false, audit: false
  })
  app.post('/mcp', async () => ({ jsonrpc: '2.0', id: 1, result: {} }))
  await app.ready()

  const client = { client_id: 'house', redirect_uri: 'https://house.example/cb?from=as' }
  const code = await codeFor(app, client)
  const answer = await post(app, '/token', { ...client, grant_type: 'authorization_code', code, code_verifier: VERIFIER })
  const tokens = answer.json<{ access_token: string, refresh_token: string }>()
  const expiresAt = clock() + 60
  const filler = (id: number) => ({ tenant: 'x', kind: 'filler', id: String(id) })
  const fill = async (verb: (id: number) => Promise<unknown>) => {
    for (let id = 0; id <= MAX; id++) await verb(id)
  }
  await t.rejects(fill(async (id) => await store.add({ ...filler(id), index: {}, body: '', expiresAt }, clock())), StoreUnavailableError)
  const count = async (id: number) => await store.increment(filler(id), { by: 1, window: 60 }, clock())
  await t.rejects(fill(count), StoreUnavailableError)
  return { app, clock, client, tokens }
}

t.test('a full store refuses what is new in the words of each endpoint', async (t) => {
  const { app, client } = await fullServer(t)

  const registration = await app.inject({ method: 'POST', url: '/register', payload: { redirect_uris: ['https://c.example'] } })
  t.match(registration, { statusCode: 503, headers: { 'retry-after': /^\d+$/, 'cache-control': 'no-store' } })
  t.match(registration.json(), { error: 'temporarily_unavailable' })
  const page = await authorize(app, client)
  t.match(page, { statusCode: 503, headers: { 'retry-after': /^\d+$/, 'x-frame-options': 'DENY', 'content-type': /^text\/html/ } })
  t.equal(page.headers.location, undefined)
})

t.test('a full store goes on for everybody who is here', async (t) => {
  const { app, client, tokens } = await fullServer(t)
  const call = async (token: string) => (await app.inject({
    method: 'POST',
    url: '/mcp',
    headers: { authorization: `Bearer ${token}` },
    payload: { jsonrpc: '2.0', id: 1, method: 'tools/list' }
  })).statusCode
  t.equal(await call(tokens.access_token), 200)

  const refreshed = await post(app, '/token', { ...client, grant_type: 'refresh_token', refresh_token: tokens.refresh_token })
  t.equal(refreshed.statusCode, 200)
  t.equal((await post(app, '/revoke', { ...client, token: tokens.refresh_token })).statusCode, 200)
  t.equal(await call(tokens.access_token), 401, 'also in being revoked')
})

t.test('room comes back by itself', async (t) => {
  const { app, clock, client } = await fullServer(t)
  clock.advance(60)

  t.ok(await register(app))
  t.equal((await app.inject({ url: authorizationUrl(client), headers: { 'x-user': 'bob' } })).statusCode, 200)
})

// MUST SHOW: `REGISTRATIONS=1000000 npx tap --timeout=0 test/attacks/full-store.test.ts` for the whole flood.
const FLOOD = Number(process.env.REGISTRATIONS ?? 1000)
const MAX_CLIENTS = 200
const AT_ONCE = 100

const engines: Readonly<Record<string, (t: Test) => RecordStore>> = {
  memory: () => memoryStore(),
  sqlite: (t) => sqliteStore(new Libsql(newDatabase(t)))
}

const addressOf = (id: number): string => id % 2 === 0
  ? `10.${id >> 16 & 255}.${id >> 8 & 255}.7`
  : `2001:db8:${(id % 65_536).toString(16)}:1::1`

for (const [engine, open] of Object.entries(engines)) {
  t.test(`strangers register without end: ${engine} stays under its cap, and nobody notices (AS-R5)`, async (t) => {
    const clock = stoppedClock()
    const store = open(t)
    const app = buildApp(t)
    await app.register(mcpSecurity, {
      ...OPTIONS,
      store,
      secrets: [SECRET],
      clients: STATICS,
      clock,
      originGuard: false,
      audit: false,
      rateLimits: false,
      maxClients: MAX_CLIENTS
    })
    app.post('/mcp', async () => ({ jsonrpc: '2.0', id: 1, result: {} }))
    await app.ready()
    const call = async (token: string) => (await app.inject({
      method: 'POST', url: '/mcp', headers: { authorization: `Bearer ${token}` }, payload: { jsonrpc: '2.0', id: 1, method: 'tools/list' }
    })).statusCode
    const signIn = async () => {
      const client = { client_id: await register(app, { grant_types: ['authorization_code', 'refresh_token'] }), redirect_uri: LOOPBACK }
      const code = await codeFor(app, client)
      const answer = await post(app, '/token', { ...client, grant_type: 'authorization_code', code, code_verifier: VERIFIER })
      return { client, tokens: answer.json<{ access_token: string, refresh_token: string }>() }
    }
    const held = async () => {
      let count = 0
      for (let after: string | undefined, more = true; more;) {
        const page = after === undefined ? {} : { after }
        const { clients, cursor } = await app.mcpClients.list({ limit: 1000, ...page })
        count += clients.length
        after = cursor ?? undefined
        more = cursor !== null
      }
      return count
    }
    const live = await signIn()
    let most = 0
    let refused = 0
    for (let sent = 0; sent < FLOOD; sent += AT_ONCE) {
      // At the seam of two windows twice as many may register.
      if (sent === FLOOD / 2) clock.advance(86_400 - 1)
      if (sent === FLOOD / 2 + AT_ONCE) clock.advance(1)
      const answers = await Promise.all(Array.from({ length: AT_ONCE }, async (_, i) => await app.inject({
        method: 'POST',
        url: '/register',
        remoteAddress: addressOf(sent + i),
        payload: {
          redirect_uris: [LOOPBACK],
          client_name: `Stranger ${sent + i}`,
          token_endpoint_auth_method: i % 3 === 0 ? 'client_secret_basic' : 'none'
        }
      })))
      refused += answers.filter(({ statusCode }) => statusCode !== 201).length
      if (sent % (FLOOD / 20) < AT_ONCE) most = Math.max(most, await held())
    }

    t.equal(refused, 0)
    t.ok(most <= MAX_CLIENTS + 1, `${most} clients were kept`)
    const { access_token: token } = (await post(app, '/token', {
      ...live.client, grant_type: 'refresh_token', refresh_token: live.tokens.refresh_token
    })).json<{ access_token: string }>()
    t.equal(await call(token), 200, 'a live grant')
    t.equal(await call((await signIn()).tokens.access_token), 200, 'a fresh user')
    if (FLOOD > 1000) t.comment(`${FLOOD} registrations, ${most} kept, ${Math.round(process.memoryUsage().rss / 2 ** 20)} MB`)
  })
}
