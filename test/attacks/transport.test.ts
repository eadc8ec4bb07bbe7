import { EventEmitter } from 'node:events'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
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
import { bearer, call, callTool, guardOptions, principalWith, verifierOf } from '../helpers/guard.js'

const ISSUER = 'http://127.0.0.1:3000'
const RESOURCE = `${ISSUER}/mcp`
const PAGE = 'https://app.example.com'
const verifier = verifierOf({ reader: principalWith(['notes:read'], { resource: RESOURCE }) })

function buildServer (): McpServer {
  const server = new McpServer({ name: 'test', version: '1.0.0' })
  server.registerTool('search', {}, ({ authInfo }) => ({ content: [{ type: 'text', text: authInfo?.clientId ?? 'nobody' }] }))
  server.registerTool('whoami', {}, async () => await new Promise(() => {}))
  return server
}

/** A host by hand, with the SDK's own transport, which writes to the raw response. */
async function host (t: Teardown, build: (t: Teardown) => FastifyInstance, enableJsonResponse: boolean) {
  const app = build(t)
  const events: AuditEvent[] = []
  app.addHook('onSend', async () => { await new Promise((resolve) => { setImmediate(resolve) }) })
  const reports = new EventEmitter()
  await app.register(auditHook, { log: false, sink: (event) => { events.push(event); reports.emit('event') } })
  await app.register(securityHeaders)
  await app.register(originGuard, { issuer: ISSUER, resource: RESOURCE, origins: [PAGE] })
  await app.register(cors)
  await app.register(rateLimits)
  await app.register(scopeGuard, guardOptions({ issuer: ISSUER, resource: RESOURCE, verifier }))
  app.route({
    method: ['GET', 'POST', 'DELETE'],
    url: '/mcp',
    handler: async (request, reply) => {
      const transport = new StreamableHTTPServerTransport({ enableJsonResponse })
      reply.hijack()
      await buildServer().connect(transport as Parameters<McpServer['connect']>[0])
      await transport.handleRequest(request.raw, reply.raw, request.body)
      return reply
    }
  })
  return { app, events, reports, origin: await app.listen({ port: 0, host: '127.0.0.1' }) }
}

const HEADERS = {
  ...bearer('reader'), origin: PAGE, 'content-type': 'application/json', accept: 'application/json, text/event-stream'
}

const answers: Record<string, [Record<string, string>, unknown, number]> = {
  'a tool result': [{}, callTool('search'), 200],
  'a notification': [{}, { jsonrpc: '2.0', method: 'notifications/initialized' }, 202],
  'a wrong Accept (TR-16)': [{ accept: 'text/html' }, callTool('search'), 406],
  'a wrong version': [{ 'mcp-protocol-version': '1' }, call('tools/list'), 400]
}

for (const [version, build] of Object.entries(versions)) {
  for (const enableJsonResponse of [true, false]) {
    const kind = `${enableJsonResponse ? 'JSON' : 'an event stream'}, Fastify ${version}`

    t.test(`whatever the SDK's transport answers carries every header once (TR-12, TR-14; ${kind})`, async (t) => {
      const { events, origin } = await host(t, build, enableJsonResponse)
      for (const [what, [headers, body, status]] of Object.entries(answers)) {
        const answer = await fetch(`${origin}/mcp`, {
          method: 'POST', headers: { ...HEADERS, ...headers }, body: JSON.stringify(body)
        })
        await answer.text()

        t.equal(answer.status, status, what)
        // Repeated lines would be joined by commas.
        t.match(Object.fromEntries(answer.headers), {
          'x-content-type-options': /^nosniff$/,
          'x-robots-tag': /^noindex$/,
          'content-security-policy': /^default-src 'none';frame-ancestors 'none'$/,
          'strict-transport-security': /^max-age=31536000; includeSubDomains$/,
          'cache-control': /no-store|no-cache/,
          'access-control-allow-origin': PAGE,
          'access-control-expose-headers': /^www-authenticate/,
          vary: /^Origin$/
        }, what)
      }
      t.equal(events.length, Object.keys(answers).length, 'each is reported once')
    })

    t.test(`the SDK's handlers know who calls (${kind})`, async (t) => {
      const { origin } = await host(t, build, enableJsonResponse)

      const answer = await fetch(`${origin}/mcp`, {
        method: 'POST', headers: HEADERS, body: JSON.stringify(callTool('search'))
      })

      t.match(await answer.text(), /client-1/)
    })

    t.test(`a client that leaves a tool call is reported once, as allowed (mistake 25; ${kind})`, async (t) => {
      const { app, events, reports, origin } = await host(t, build, enableJsonResponse)
      const client = new AbortController()
      const closed = new Promise<void>((resolve) => {
        app.server.once('request', (_request, response) => { response.once('close', resolve) })
      })
      reports.once('event', () => { setImmediate(() => { client.abort() }) })

      const asked = fetch(`${origin}/mcp`, {
        method: 'POST', signal: client.signal, headers: HEADERS, body: JSON.stringify(callTool('whoami'))
      }).then(async (answer) => await answer.text())
      await t.rejects(asked, { name: 'AbortError' })
      await closed

      t.match(events, [{ type: 'access.allowed', operation: 'tools/call whoami' }])
      t.equal(events.length, 1)
    })
  }

  t.test(`without a token the transport is never asked (RS-10; Fastify ${version})`, async (t) => {
    const { origin } = await host(t, build, false)
    for (const method of ['GET', 'POST', 'DELETE', 'HEAD', 'PUT']) {
      const answer = await fetch(`${origin}/mcp`, { method, headers: { 'mcp-session-id': '1' } })
      t.equal(answer.status, 401, method)
      await answer.text()
    }
  })
}
