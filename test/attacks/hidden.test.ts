import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import t from 'tap'
import type { AccessCheck } from '../../types/guard.js'
import { modernCall, modernHeaders } from '../helpers/modern.js'
import { guardedApp } from '../helpers/guarded-app.js'
import { bearer } from '../helpers/guard.js'

const COMPONENTS = [
  { tool: 'deploy', scopes: ['notes:read'], headers: { Region: 'region' } },
  { tool: 'whoami', scopes: [] }
]

const ask = async (app: FastifyInstance, name: string, headers: Readonly<Record<string, string>> = {}) => {
  const message = modernCall('tools/call', { name, arguments: { region: 'west' } })
  return await app.inject({
    method: 'POST', url: '/mcp', payload: message, headers: { ...bearer('reader'), ...modernHeaders(message), ...headers }
  })
}

/** All that goes over the wire, but the date. */
const wire = ({ statusCode, headers: { date, ...headers }, body }: LightMyRequestResponse) =>
  ({ statusCode, headers, body })

const says: Readonly<Record<string, AccessCheck>> = {
  'at once': () => false,
  later: async () => false,
  'by failing': () => { throw new Error('down') }
}

for (const [how, access] of Object.entries(says)) {
  t.test(`a hidden tool that the host denies ${how} does not show by the headers that it mirrors`, async (t) => {
    const { app, handled } = await guardedApp(t, { hideDenied: true, components: COMPONENTS, access })
    const none = wire(await ask(app, 'nothing'))

    t.equal(none.statusCode, 403)
    t.same(wire(await ask(app, 'deploy')), none)
    t.same(wire(await ask(app, 'deploy', { 'mcp-param-region': 'east' })), none)
    t.same(wire(await ask(app, 'deploy', { 'mcp-param-region': 'west' })), none)
    t.strictSame(handled, [])
  })
}

t.test('the session of a request that has none is gone wherever a host looks (TR-4)', async (t) => {
  const { app } = await guardedApp(t)
  const seen: unknown[] = []
  app.addHook('preHandler', async ({ raw }) => {
    seen.push(raw.headers['mcp-session-id'], raw.headersDistinct['mcp-session-id'], raw.rawHeaders.includes('somebody'))
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const message = modernCall('tools/call', { name: 'whoami' })

  const { status } = await fetch(`${app.listeningOrigin}/mcp`, {
    method: 'POST',
    headers: {
      ...bearer('reader'), ...modernHeaders(message), 'content-type': 'application/json', 'mcp-session-id': 'somebody'
    },
    body: JSON.stringify(message)
  })

  t.equal(status, 200)
  t.same(seen, [undefined, undefined, false])
})
