import Fastify from 'fastify'
import t from 'tap'
import { rateLimits } from '../../lib/plugins/rate-limits.js'
import { InvalidTokenError, scopeGuard } from '../../lib/plugins/scope-guard.js'

const resource = 'https://mcp.example.com/mcp'

async function build (max: number) {
  const verified: string[] = []
  let bodies = 0
  const app = Fastify()
  await app.register(rateLimits, { general: { max, window: 60 }, clock: () => 1_700_000_000 })
  await app.register(scopeGuard, {
    resource,
    scopes: { read: 'Read' },
    verifier: {
      recall: () => undefined,
      verify: async (token) => {
        verified.push(token)
        throw new InvalidTokenError('bad signature')
      }
    }
  })
  app.addHook('preParsing', async () => { bodies += 1 })
  app.post('/mcp', async () => ({}))
  const ask = async (authorization: string) =>
    (await app.inject({ method: 'POST', url: '/mcp', headers: { authorization }, payload: { jsonrpc: '2.0' } })).statusCode
  return { app, ask, verified, bodies: () => bodies }
}

t.test('a flood of forged tokens costs one check each at most, none behind the coarse limit, and no body is read', async (t) => {
  const { app, ask, verified, bodies } = await build(5)
  t.teardown(() => app.close())

  const statuses: number[] = []
  for (let sent = 0; sent < 20; sent += 1) statuses.push(await ask(`Bearer forged.${sent}`))

  t.same(statuses, [...Array(5).fill(401), ...Array(15).fill(429)])
  t.same(verified, [0, 1, 2, 3, 4].map((sent) => `forged.${sent}`))
  t.equal(bodies(), 0)
})

t.test('what is no token by its grammar costs no check at all', async (t) => {
  const { app, ask, verified, bodies } = await build(100)
  t.teardown(() => app.close())

  for (const text of ['Bearer', 'Bearer not one token', 'Basic eDp5', `Bearer ${'x'.repeat(8193)}`, 'Bearer a,b']) {
    t.equal(await ask(text), 401, text.slice(0, 30))
  }

  t.same(verified, [])
  t.equal(bodies(), 0)
})
