import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { scopeGuard } from '../../../lib/plugins/scope-guard.js'
import type { Teardown } from '../../helpers/build-app.js'
import { stoppedClock, type StoppedClock } from '../../helpers/clock.js'
import { versions } from '../../helpers/fastify-versions.js'
import { bearer, guardOptions, principalWith, verifierOf } from '../../helpers/guard.js'

const verifier = verifierOf({
  alice: principalWith(['admin'], { subject: 'alice' }),
  bob: principalWith(['admin'], { subject: 'bob' })
})

async function host (t: Teardown, version = 'newest'): Promise<{ app: FastifyInstance, clock: StoppedClock }> {
  const app = versions[version]?.(t)
  if (app === undefined) throw new Error(`there is no Fastify ${version}`)
  const clock = stoppedClock()
  await app.register(scopeGuard, guardOptions({ verifier, clock }))
  app.post('/mcp', () => ({}))
  app.get('/seal', ({ mcpHandles }) => mcpHandles.seal({ purpose: 'cart', value: { items: [1] }, lifetime: 60 }))
  app.get<{ Params: { handle: string } }>('/open/:handle', { config: {} }, ({ mcpHandles, params: { handle } }) =>
    ({ value: mcpHandles.open({ purpose: 'cart', handle }) }))
  app.get('/public', { config: { mcpSecurity: { public: true } } }, ({ mcpHandles }) => mcpHandles)
  await app.ready()
  return { app, clock }
}

const open = async (app: FastifyInstance, user: string, handle: string) =>
  (await app.inject({ url: `/open/${handle}`, headers: bearer(user) })).json()

for (const version of Object.keys(versions)) {
  t.test(`Fastify ${version}: a handler seals and opens for its caller and nobody else (RS-33)`, async (t) => {
    const { app } = await host(t, version)
    const { body: handle } = await app.inject({ url: '/seal', headers: bearer('alice') })

    t.same(await open(app, 'alice', handle), { value: { items: [1] } })
    t.same(await open(app, 'bob', handle), { value: null })
  })
}

t.test('a handle ends by the clock of the guard', async (t) => {
  const { app, clock } = await host(t)
  const { body: handle } = await app.inject({ url: '/seal', headers: bearer('alice') })

  clock.advance(60)
  t.same(await open(app, 'alice', handle), { value: null })
})

t.test('on a public route there are no handles to be had', async (t) => {
  const { app } = await host(t)

  t.match((await app.inject('/public')).json(), { statusCode: 500, message: /mcpHandles/ })
})
