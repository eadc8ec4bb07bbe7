import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { auditHook } from '../../lib/plugins/audit-hook.js'
import { cors } from '../../lib/plugins/cors.js'
import { originGuard } from '../../lib/plugins/origin-guard.js'
import { rateLimits } from '../../lib/plugins/rate-limits.js'
import { scopeGuard } from '../../lib/plugins/scope-guard.js'
import { securityHeaders } from '../../lib/plugins/security-headers.js'
import type { AuditEvent } from '../../types/audit.js'
import type { Teardown } from '../helpers/build-app.js'
import { versions } from '../helpers/fastify-versions.js'
import { callTool, guardOptions, ISSUER, RESOURCE, TOKENS, verifierOf } from '../helpers/guard.js'

const turns = async () => { for (let turn = 0; turn < 20; turn += 1) await setImmediate() }

/** All parts by hand, in a host whose answers go out only after the client has left. */
async function host (t: Teardown, build: (t: Teardown) => FastifyInstance, max = 1000) {
  const app = build(t)
  const events: AuditEvent[] = []
  const ran: string[] = []
  const handler = async ({ method }: { method: string }) => { ran.push(method) }
  let answering = Promise.resolve()
  app.addHook('onSend', (_request, { raw }, _payload, done) => {
    answering = once(raw, 'close').then(turns).then(() => { done() })
  })
  await app.register(auditHook, { log: false, sink: (event) => { events.push(event) } })
  await app.register(securityHeaders)
  await app.register(originGuard, { issuer: ISSUER, resource: RESOURCE })
  await app.register(cors)
  await app.register(rateLimits, { general: { max, window: 60 } })
  await app.register(scopeGuard, guardOptions({ verifier: verifierOf(TOKENS, ['reader']) }))
  app.post('/mcp', handler)
  app.options('/mcp', handler)
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { app, events, ran, answered: async () => { await answering; await turns() } }
}

/** Sends a request and resets the connection as soon as the server has begun with it. */
async function sendAndLeave (app: FastifyInstance, lines: readonly string[], body: string) {
  const { port } = app.server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  const closed = new Promise<void>((resolve) => {
    app.server.once('request', (_request, response) => {
      response.once('close', resolve)
      // The body and both kinds of verifying come before the last refusal.
      turns().then(() => { socket.resetAndDestroy() }, t.fail)
    })
  })
  socket.write([...lines, `Content-Length: ${body.length}`, 'Content-Type: application/json', '', body].join('\r\n'))
  await closed
}

const POST = 'POST /mcp HTTP/1.1'
const OUR_HOST = 'Host: mcp.example.com'
const TOKEN = 'Authorization: Bearer reader'

const refused: Record<string, [string[], unknown]> = {
  'a foreign host': [[POST, 'Host: evil.example', TOKEN], callTool('search')],
  'a foreign origin': [[POST, OUR_HOST, 'Origin: https://evil.example', TOKEN], callTool('search')],
  'a preflight': [['OPTIONS /mcp HTTP/1.1', OUR_HOST, `Origin: ${ISSUER}`, 'Access-Control-Request-Method: POST', TOKEN], {}],
  'no token': [[POST, OUR_HOST], callTool('search')],
  'a bad token': [[POST, OUR_HOST, 'Authorization: Bearer bad'], callTool('search')],
  'two tokens': [[POST, OUR_HOST, TOKEN, TOKEN], callTool('search')],
  'too little scope': [[POST, OUR_HOST, TOKEN], callTool('delete')],
  'an unknown tool': [[POST, OUR_HOST, TOKEN], callTool('drop_tables')],
  'no message': [[POST, OUR_HOST, TOKEN], 1],
  'another method': [['PUT /mcp HTTP/1.1', OUR_HOST, TOKEN], callTool('search')]
}

for (const [version, build] of Object.entries(versions)) {
  for (const [what, [lines, body]] of Object.entries(refused)) {
    t.test(`${what} does not get through by leaving before the answer is out (RS-10, TR-1, Fastify ${version})`, async (t) => {
      const { app, events, ran, answered } = await host(t, build)

      await sendAndLeave(app, lines, JSON.stringify(body))
      await answered()

      t.strictSame(ran, [])
      t.equal(events.length, 1, 'and is reported once')
    })
  }

  t.test(`a rate limit is not passed by leaving (TR-13, Fastify ${version})`, async (t) => {
    const { app, events, ran, answered } = await host(t, build, 1)
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await sendAndLeave(app, [POST, OUR_HOST, TOKEN], JSON.stringify(callTool('search')))
      await answered()
    }

    t.strictSame(ran, ['POST'])
    t.strictSame(events.map(({ type }) => type), ['access.allowed', 'rate-limit.exceeded', 'rate-limit.exceeded'])
  })
}
