import Fastify from 'fastify'
import t from 'tap'
import { randomId } from '../../lib/crypto/digest.js'
import { scopeGuard } from '../../lib/plugins/scope-guard.js'
import { jwksVerifier } from '../../lib/tokens/jwks-verifier.js'
import type { JwksVerifierOptions } from '../../types/foreign-tokens.js'
import type { Teardown } from '../helpers/build-app.js'
import { stoppedClock } from '../helpers/clock.js'
import {
  AUDIENCE, entra, foreignServer, keycloak, RESOURCE, standard, START, type Members, type Shape
} from '../helpers/foreign-server.js'

const kinds: Readonly<Record<string, readonly [Shape, Partial<JwksVerifierOptions>]>> = {
  'RFC 9068': [standard, {}],
  Keycloak: [keycloak, { types: ['JWT'], claims: { clientId: 'azp' } }],
  Entra: [entra, { types: ['JWT'], audience: AUDIENCE, claims: { clientId: 'azp', scopes: 'scp' } }]
}
const COOLDOWN = 10
const ROTATIONS = 3

/** A listening app in front of a listening server, and clients that never stop asking with new tokens. */
async function start (t: Teardown, kind: string) {
  const [shape, more] = kinds[kind] ?? [standard, {}]
  const server = await foreignServer(t, shape)
  const { issuer, jwksUri } = server
  const clock = stoppedClock(START)
  const app = Fastify({ forceCloseConnections: true })
  t.teardown(async () => { await app.close() })
  await app.register(scopeGuard, {
    resource: RESOURCE,
    scopes: { 'notes:read': 'Read' },
    components: [{ tool: 'search', scopes: ['notes:read'] }],
    verifier: jwksVerifier({ issuer, jwksUri, resource: RESOURCE, keysCooldown: COOLDOWN, ...more }),
    clock
  })
  app.post('/mcp', async () => ({ jsonrpc: '2.0', id: 1, result: {} }))
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'search', arguments: {} } })
  const ask = async (token: string) => {
    const answer = await fetch(`${origin}/mcp`, {
      method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` }, body
    })
    await answer.arrayBuffer()
    return answer.status
  }
  /** A token that nobody has seen before. */
  const fresh = (header: Members = {}, key = server.key()) => server.token({ jti: randomId() }, header, key)
  return { server, clock, ask, fresh }
}

/** Clients that ask one request after the other. `more` waits until so many more were answered. */
function clients (ask: () => Promise<number>, count: number) {
  const statuses: number[] = []
  const waiting = new Set<{ readonly at: number, readonly tell: () => void }>()
  const state = { running: true }
  const work = async () => {
    while (state.running) {
      statuses.push(await ask())
      for (const one of waiting) {
        if (statuses.length >= one.at) one.tell()
      }
    }
  }
  const all = Array.from({ length: count }, work)
  return {
    statuses,
    more: async (n: number) => {
      await new Promise<void>((resolve) => { waiting.add({ at: statuses.length + n, tell: resolve }) })
    },
    stop: async () => {
      state.running = false
      await Promise.all(all)
    }
  }
}

for (const kind of Object.keys(kinds)) {
  for (const isAnnounced of [true, false]) {
    const when = isAnnounced ? 'published before they sign' : 'published when they sign'
    t.test(`${kind}: while keys are rotated, ${when}, every good token passes`, async (t) => {
      const { server, clock, ask, fresh } = await start(t, kind)
      const newest = clients(async () => await ask(fresh()), 8)
      const kept = server.key()
      const oldest = clients(async () => await ask(fresh({}, kept)), 2)
      for (let rotation = 0; rotation < ROTATIONS; rotation += 1) {
        if (isAnnounced) await server.announce()
        await newest.more(15)
        await server.rotate()
        await newest.more(15)
        clock.advance(COOLDOWN)
      }
      await Promise.all([newest.stop(), oldest.stop()])

      t.ok(newest.statuses.length >= ROTATIONS * 30)
      t.strictSame([...newest.statuses, ...oldest.statuses].filter((status) => status !== 200), [])
      t.ok(server.requests.length <= ROTATIONS + 1, `${server.requests.length} fetches`)
    })
  }

  t.test(`${kind}: while keys are rotated, made-up ones keep nobody out with 401, and none of them in`, async (t) => {
    const { server, clock, ask, fresh } = await start(t, kind)
    const good = clients(async () => await ask(fresh()), 4)
    const bad = clients(async () => await ask(fresh({ kid: `made up ${randomId()}` })), 4)
    for (let rotation = 0; rotation < ROTATIONS; rotation += 1) {
      await good.more(10)
      await server.rotate()
      await good.more(10)
      clock.advance(COOLDOWN)
    }
    await Promise.all([good.stop(), bad.stop()])
    clock.advance(COOLDOWN)

    t.strictSame(good.statuses.filter((status) => status !== 200 && status !== 503), [])
    t.strictSame(bad.statuses.filter((status) => status !== 401 && status !== 503), [])
    // The first one, one for the first unknown key, and one in each cooldown.
    t.ok(server.requests.length <= ROTATIONS + 2, `${server.requests.length} fetches`)
    t.equal(await ask(server.token()), 200)
  })

  t.test(`${kind}: in an outage during a rotation known keys go on, and new ones are 503`, async (t) => {
    const { server, clock, ask, fresh } = await start(t, kind)
    const old = server.key()
    t.equal(await ask(server.token()), 200)
    server.answerWith((_request, response) => { response.destroy() })
    await server.rotate()
    const asks = [
      async () => await ask(fresh({}, old)),
      async () => await ask(fresh()),
      async () => await ask(fresh({ kid: old.kid }))
    ]
    const statuses = await Promise.all(Array.from({ length: 10 }, () => asks.map(async (one) => await one())).flat())

    t.strictSame([...new Set(statuses.filter((_status, index) => index % 3 === 0))], [200])
    t.strictSame([...new Set(statuses.filter((_status, index) => index % 3 === 1))], [503])
    t.strictSame([...new Set(statuses.filter((_status, index) => index % 3 === 2))], [401])
    server.answerWith(null)
    clock.advance(COOLDOWN)
    t.equal(await ask(server.token()), 200)
  })
}
