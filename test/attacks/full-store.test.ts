import t, { type Test } from 'tap'
import { mcpSecurity } from '../../lib/index.js'
import { StoreUnavailableError } from '../../lib/stores/errors.js'
import { memoryStore } from '../../lib/stores/memory.js'
import { buildApp } from '../helpers/build-app.js'
import { stoppedClock } from '../helpers/clock.js'
import { authorizationUrl, authorize, codeFor, OPTIONS, post, register, SECRET, STATICS, VERIFIER } from '../helpers/oauth-app.js'

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
  t.equal((await app.inject({ url: authorizationUrl(client), headers: { 'x-user': 'alice' } })).statusCode, 200)
})
