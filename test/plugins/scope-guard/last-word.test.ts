import t from 'tap'
import type { AccessCheck, AccessInput } from '../../../types/guard.js'
import { call, callTool, TOKENS } from '../../helpers/guard.js'
import { guardedApp, post } from '../../helpers/guarded-app.js'
import { versions } from '../../helpers/fastify-versions.js'

/** A callback whose type does not hold what it answers. */
const answering = (answer: () => unknown) => answer as AccessCheck

const denials: Record<string, AccessCheck> = {
  false: () => false,
  'a promise of false': async () => false,
  nothing: answering(() => undefined),
  'a promise of nothing': answering(async () => {}),
  'a text that is true enough': answering(() => 'yes'),
  'a promise of an object': answering(async () => ({ allowed: true }))
}

for (const [version, build] of Object.entries(versions)) {
  for (const [what, access] of Object.entries(denials)) {
    t.test(`Fastify ${version}: a host that answers ${what} denies, without a challenge (RS-30)`, async (t) => {
      const { app, events, handled } = await guardedApp(t, { access }, build)

      const response = await app.inject(post('reader', callTool('search', 3)))

      t.equal(response.statusCode, 403)
      t.equal(response.headers['www-authenticate'], undefined)
      t.equal(response.headers['cache-control'], 'no-store')
      t.same(response.json(), { jsonrpc: '2.0', id: 3, error: { code: -32000, message: 'Access is denied' } })
      t.strictSame(handled, [])
      t.match(events, [{ type: 'access.denied', reason: 'host', operation: 'tools/call search' }])
      t.equal(events.length, 1)
    })
  }

  for (const [what, access] of Object.entries<AccessCheck>({ true: () => true, 'a promise of true': async () => true })) {
    t.test(`Fastify ${version}: a host that answers ${what} lets through`, async (t) => {
      const { app, events, handled } = await guardedApp(t, { access }, build)

      t.equal((await app.inject(post('reader', callTool('search')))).statusCode, 200)
      t.equal(handled.length, 1)
      t.match(events, [{ type: 'access.allowed', operation: 'tools/call search' }])
    })
  }

  for (const [what, access] of Object.entries<AccessCheck>({
    'throws at once': () => { throw new Error('sentinel') },
    'throws later': async () => { throw new Error('sentinel') }
  })) {
    t.test(`Fastify ${version}: a host that ${what} is 503, and not open`, async (t) => {
      const { app, events, handled } = await guardedApp(t, { access }, build)

      const response = await app.inject(post('reader', callTool('search')))

      t.equal(response.statusCode, 503)
      t.equal(response.headers['retry-after'], '5')
      t.equal(response.headers['www-authenticate'], undefined)
      t.notMatch(response.body, 'sentinel')
      t.strictSame(handled, [])
      t.match(events, [{ type: 'access.denied', reason: 'host failed' }])
    })
  }
}

t.test('a host is told who wants what, in which request', async (t) => {
  const seen: AccessInput[] = []
  const { app } = await guardedApp(t, { access: (input) => { seen.push(input); return true } })

  await app.inject(post('reader', callTool('search')))
  await app.inject({ url: '/any', headers: { authorization: 'Bearer reader' } })

  t.match(seen, [
    { principal: TOKENS.reader, operation: { method: 'tools/call', component: { kind: 'tool', name: 'search' } } },
    { principal: TOKENS.reader, operation: { type: 'route' }, request: { method: 'GET' } }
  ])
})

t.test('a host can not allow what the policy denies, and is not even asked', async (t) => {
  let asked = 0
  const { app, handled } = await guardedApp(t, { access: () => { asked += 1; return true } })

  t.equal((await app.inject(post('reader', callTool('delete')))).statusCode, 403)
  t.equal((await app.inject(post('admin', callTool('drop_tables')))).statusCode, 403)
  t.equal((await app.inject(post('reader', [callTool('search'), callTool('delete')]))).statusCode, 403)
  t.equal(asked, 0)
  t.strictSame(handled, [])
})

t.test('a host that denies one message of a batch denies all of it', async (t) => {
  const access: AccessCheck = ({ operation }) =>
    operation.type === 'message' && (operation.component?.name === 'search' ? Promise.resolve(true) : operation.method !== 'ping')
  const { app, events, handled } = await guardedApp(t, { access })

  t.equal((await app.inject(post('reader', [callTool('search'), call('ping')]))).statusCode, 403)
  t.strictSame(handled, [])
  t.match(events, [{ reason: 'batch denied' }, { reason: 'host', operation: 'ping' }])
  t.equal((await app.inject(post('reader', [callTool('search'), call('server/discover')]))).statusCode, 200)
})

t.test('a batch of which the host knows one part and fails at another is denied', async (t) => {
  const access: AccessCheck = ({ operation }) => {
    if (operation.type === 'message' && operation.method === 'ping') throw new Error('down')
    return false
  }
  const { app, handled } = await guardedApp(t, { access })

  t.equal((await app.inject(post('reader', [callTool('search'), call('ping')]))).statusCode, 403)
  t.strictSame(handled, [])
})

t.test('without a callback the policy has the last word', async (t) => {
  const { app, handled } = await guardedApp(t)

  t.equal((await app.inject(post('reader', callTool('search')))).statusCode, 200)
  t.equal((await app.inject(post('reader', callTool('delete')))).statusCode, 403)
  t.equal(handled.length, 1)
})

t.test('with reportOnly the host is not asked for what the policy would deny', async (t) => {
  let asked = 0
  const { app } = await guardedApp(t, { reportOnly: true, access: () => { asked += 1; return true } })

  t.equal((await app.inject(post('reader', [callTool('search'), callTool('delete')]))).statusCode, 200)
  t.equal(asked, 1)
})
