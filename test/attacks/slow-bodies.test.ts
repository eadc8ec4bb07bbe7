import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { scopeGuard } from '../../lib/plugins/scope-guard.js'
import { StoreUnavailableError } from '../../lib/stores/errors.js'
import { InvalidTokenError } from '../../lib/tokens/errors.js'
import type { ScopeGuardOptions } from '../../types/options.js'
import type { TokenVerifier } from '../../types/principal.js'
import type { Teardown } from '../helpers/build-app.js'
import { stoppedClock } from '../helpers/clock.js'
import { versions } from '../helpers/fastify-versions.js'
import { callTool, guardOptions, principalWith } from '../helpers/guard.js'
import { guardedApp } from '../helpers/guarded-app.js'

// RS-14, RS-20: a client sends the end of its body when it likes. Whoever knows that a token is about to end could open
// as many requests as he likes with it, and finish them days later.

const BODY = JSON.stringify(callTool('search'))

/** A listening app, and a request to it of which the last byte is missing. */
async function begun (t: Teardown, options: Partial<ScopeGuardOptions>, build = versions.newest) {
  const clock = stoppedClock()
  const guarded = await guardedApp(t, { clock, ...options }, build)
  let begun = 0
  guarded.app.addHook('preParsing', async () => { begun += 1 })
  await guarded.app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = guarded.app.server.address() as AddressInfo

  return {
    ...guarded,
    clock,
    async open (headers: readonly string[]) {
      const before = begun
      const socket = connect(port, '127.0.0.1')
      let answer = ''
      socket.setEncoding('latin1').on('data', (part: string) => { answer += part })
      socket.write([
        'POST /mcp HTTP/1.1', `Host: localhost:${port}`, 'Content-Type: application/json',
        `Content-Length: ${BODY.length}`, 'Connection: close', ...headers, '', BODY.slice(0, -1)
      ].join('\r\n'))
      while (begun === before) await setImmediate()
      return async (): Promise<number> => {
        socket.write(BODY.slice(-1))
        await once(socket, 'close')
        return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])
      }
    }
  }
}

const token = ['Authorization: Bearer reader']

for (const [version, build] of Object.entries(versions)) {
  t.test(`a token that expires before its request is there opens nothing, on Fastify ${version}`, async (t) => {
    const { open, clock, handled, events } = await begun(t, {}, build)
    const finish = await open(token)
    clock.advance(900)

    t.equal(await finish(), 401)
    t.strictSame(handled, [])
    t.match(events.at(-1), { type: 'access.denied', reason: 'expired' })
  })
}

/** Good until it is told otherwise. Remembers nothing, as `recheck: 0` does. */
function changing (): TokenVerifier & { end (error: Error | null): void } {
  let failure: Error | null = null
  return {
    end (error) { failure = error },
    recall: () => undefined,
    async verify () {
      if (failure !== null) throw failure
      return principalWith(['notes:read'], { credential: 'introspected-token' })
    }
  }
}

t.test('a token that is revoked before its request is there opens nothing', async (t) => {
  const verifier = changing()
  const { open, clock, handled, events } = await begun(t, { verifier })
  const finish = await open(token)
  verifier.end(new InvalidTokenError('revoked'))
  clock.advance(1)

  t.equal(await finish(), 401)
  t.strictSame(handled, [])
  t.match(events.at(-1), { type: 'access.denied', reason: 'token ended' })
})

t.test('a token that nobody can check again opens nothing, and is not called bad (RS-16)', async (t) => {
  const verifier = changing()
  const { open, clock, handled } = await begun(t, { verifier })
  const finish = await open(token)
  verifier.end(new StoreUnavailableError('down'))
  clock.advance(1)

  t.equal(await finish(), 503)
  t.strictSame(handled, [])
})

t.test('a token that still holds opens what it did, however slow its request', async (t) => {
  for (const verifier of [changing(), undefined]) {
    const { open, clock, handled } = await begun(t, verifier === undefined ? {} : { verifier })
    const finish = await open(token)
    clock.advance(600)

    t.equal(await finish(), 200)
    t.equal(handled.length, 1)
  }
})

t.test('what nobody takes back is not asked about again', async (t) => {
  let asked = 0
  const verifier: TokenVerifier = {
    recall: () => undefined,
    async verify () {
      asked += 1
      return principalWith(['notes:read'], { credential: 'foreign-token' })
    }
  }
  const { open, clock } = await begun(t, { verifier })
  const finish = await open(token)
  clock.advance(600)

  t.equal(await finish(), 200)
  t.equal(asked, 1)
})

t.test('what was let in as nobody, since the route is public, is let through', async (t) => {
  const { app } = await guardedApp(t)
  app.post('/open', { config: { mcpSecurity: { public: true } } }, async () => 'open')
  t.equal((await app.inject({ method: 'POST', url: '/open' })).statusCode, 200)
})

t.test('a request that began while authentication was off is nobody\'s once it is on', async (t) => {
  const { app, open, clock, handled, events } = await begun(t, {
    authentication: { enabled: false, anonymous: { scopes: ['notes:read'] } }
  })
  const late = await open([])
  clock.advance(1)
  t.equal(await late(), 200)

  const tooLate = await open([])
  app.mcpAuthentication.set(true)
  clock.advance(1)
  t.equal(await tooLate(), 401)
  t.equal(handled.length, 1)
  t.match(events.at(-1), { type: 'access.denied', reason: 'no token' })
})

for (const [version, build] of Object.entries(versions)) {
  t.test(`the public route of a part that was registered before the guard is nobody's, and answered (Fastify ${version})`, async (t) => {
    const app = build(t)
    await app.register(async (part) => {
      part.get('/sign-in', { config: { mcpSecurity: { public: true } } }, async () => 'a page')
    })
    await app.register(scopeGuard, guardOptions())
    app.post('/mcp', async () => 'handled')

    t.equal((await app.inject('/sign-in')).body, 'a page')
  })
}
