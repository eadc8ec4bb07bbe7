import type { ServerResponse } from 'node:http'
import Fastify from 'fastify'
import t from 'tap'
import { auditHook } from '../../lib/plugins/audit-hook.js'
import { resourceMetadata } from '../../lib/plugins/resource-metadata.js'
import { scopeGuard } from '../../lib/plugins/scope-guard.js'
import { chosenVerifier } from '../../lib/tokens/chosen-verifier.js'
import { introspectionVerifier } from '../../lib/tokens/introspection-verifier.js'
import { jwksVerifier } from '../../lib/tokens/jwks-verifier.js'
import type { AuditEvent } from '../../types/audit.js'
import type { TokenVerifier } from '../../types/principal.js'
import type { Teardown } from '../helpers/build-app.js'
import { stoppedClock } from '../helpers/clock.js'
import { foreignServer, START, type ForeignServer } from '../helpers/foreign-server.js'

const NOTES = 'https://mcp.example.com/notes/mcp'
const BILLS = 'https://mcp.example.com/bills/mcp'
const PRM = '/.well-known/oauth-protected-resource'

interface Part {
  readonly resource: string
  readonly issuers: readonly string[]
  readonly verifier: TokenVerifier
}

/** One listening app with a guarded scope for each part. `seen` names what reached a handler. */
async function serve (t: Teardown, parts: readonly Part[]) {
  const app = Fastify({ forceCloseConnections: true })
  t.teardown(async () => { await app.close() })
  const clock = stoppedClock(START)
  const events: AuditEvent[] = []
  const seen: string[] = []
  for (const { resource, issuers, verifier } of parts) {
    const path = new URL(resource).pathname
    await app.register(async (mcp) => {
      await mcp.register(auditHook, { log: false, sink: (event) => { events.push(event) } })
      await mcp.register(scopeGuard, {
        resource,
        scopes: { 'notes:read': 'Read' },
        components: [{ tool: 'search', scopes: ['notes:read'] }],
        verifier,
        clock
      })
      await mcp.register(resourceMetadata, { resource, authorizationServers: issuers })
      mcp.post(path, async ({ mcpAuth }) => {
        seen.push(`${path} ${mcpAuth?.issuer ?? ''}`)
        return { jsonrpc: '2.0', id: 1, result: {} }
      })
    })
  }
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  const call = async (resource: string, token?: string) => await fetch(origin + new URL(resource).pathname, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'search', arguments: {} } })
  })
  const status = async (resource: string, token: string) => (await call(resource, token)).status
  return { origin, clock, events, seen, call, status }
}

const byKeys = ({ issuer, jwksUri }: ForeignServer, resource: string) => jwksVerifier({ issuer, jwksUri, resource })

t.test('of two resources in one app neither takes the tokens of the other, the same server issued both', async (t) => {
  const server = await foreignServer(t)
  const { seen, status } = await serve(t, [NOTES, BILLS].map((resource) =>
    ({ resource, issuers: [server.issuer], verifier: byKeys(server, resource) })))
  const [forNotes, forBills, forBoth] = [NOTES, BILLS, [NOTES, BILLS]].map((aud) => server.token({ aud }))

  for (let times = 0; times < 2; times += 1) {
    t.equal(await status(NOTES, forNotes ?? ''), 200)
    t.equal(await status(BILLS, forNotes ?? ''), 401)
    t.equal(await status(BILLS, forBills ?? ''), 200)
    t.equal(await status(NOTES, forBills ?? ''), 401)
    for (const resource of [NOTES, BILLS]) t.equal(await status(resource, forBoth ?? ''), 200)
  }
  t.equal(seen.length, 8)
})

t.test('of two issuers each counts where it is trusted only (RS-17)', async (t) => {
  const [staff, guests] = [await foreignServer(t), await foreignServer(t)]
  const { seen, status } = await serve(t, [
    { resource: NOTES, issuers: [staff.issuer], verifier: byKeys(staff, NOTES) },
    { resource: BILLS, issuers: [guests.issuer], verifier: byKeys(guests, BILLS) }
  ])
  const aud = [NOTES, BILLS]

  t.equal(await status(NOTES, staff.token({ aud })), 200)
  t.equal(await status(BILLS, staff.token({ aud })), 401)
  t.equal(await status(BILLS, guests.token({ aud })), 200)
  t.equal(await status(NOTES, guests.token({ aud })), 401)
  t.equal(await status(BILLS, staff.token({ aud, iss: guests.issuer })), 401)
  t.strictSame(seen, [`/notes/mcp ${staff.issuer}`, `/bills/mcp ${guests.issuer}`])
})

t.test('a verifier for another resource opens nothing, although it finds its tokens good', async (t) => {
  const server = await foreignServer(t)
  const verifier = byKeys(server, BILLS)
  const { events, seen, status } = await serve(t, [{ resource: NOTES, issuers: [server.issuer], verifier }])

  for (let times = 0; times < 2; times += 1) t.equal(await status(NOTES, server.token({ aud: [NOTES, BILLS] })), 401)
  t.match(events, [{ reason: 'wrong audience' }, { reason: 'wrong audience' }])
  t.strictSame(seen, [])
})

t.test('each resource is described at its own path, which its challenges name', async (t) => {
  const [staff, guests] = [await foreignServer(t), await foreignServer(t)]
  const { origin, call } = await serve(t, [
    { resource: NOTES, issuers: [staff.issuer], verifier: byKeys(staff, NOTES) },
    { resource: BILLS, issuers: [guests.issuer], verifier: byKeys(guests, BILLS) }
  ])

  for (const [resource, { issuer }] of [[NOTES, staff], [BILLS, guests]] as const) {
    const challenge = (await call(resource)).headers.get('www-authenticate') ?? ''
    const [, url = ''] = /resource_metadata="([^"]+)"/.exec(challenge) ?? []
    const document: unknown = await (await fetch(origin + new URL(url).pathname)).json()
    t.match(document, { resource, authorization_servers: [issuer] })
  }
  t.match(await (await fetch(origin + PRM)).json(), { resource: NOTES })
})

t.test('a weaker verifier is never asked because a stronger one fails, refuses or is down', async (t) => {
  const [strong, weak, introspected] = [await foreignServer(t), await foreignServer(t), await foreignServer(t)]
  const { issuer, introspectionEndpoint } = introspected
  introspected.introspect(() => ({ active: true, aud: NOTES, client_id: 'client-1', sub: 'alice', scope: 'notes:read' }))
  const client = { clientId: 'mcp-server', clientSecret: 'a secret of 32 characters at least' }
  const { clock, events, seen, status } = await serve(t, [{
    resource: NOTES,
    issuers: [strong.issuer, weak.issuer],
    verifier: chosenVerifier({
      issuers: { [strong.issuer]: byKeys(strong, NOTES), [weak.issuer]: byKeys(weak, NOTES) },
      opaque: introspectionVerifier({ ...client, issuer, introspectionEndpoint, resource: NOTES })
    })
  }])
  const token = strong.token({ aud: NOTES })
  const forged = weak.token({ aud: NOTES, iss: strong.issuer })

  strong.answerWith((request) => { request.socket.destroy() })
  for (const one of [token, forged]) t.equal(await status(NOTES, one), 503)
  t.match(events, [{ reason: 'authorization server unavailable' }, { reason: 'authorization server unavailable' }])
  t.equal(await status(NOTES, weak.token({ aud: NOTES })), 200)
  t.equal(await status(NOTES, 'opaque'), 200)

  strong.answerWith(null)
  clock.advance(10)
  t.equal(await status(NOTES, token), 200)
  t.equal(await status(NOTES, forged), 401)
  t.equal(await status(NOTES, strong.token({ aud: BILLS })), 401)
  t.strictSame(introspected.requests.map(({ body }) => new URLSearchParams(body).get('token')), ['opaque'])
  t.strictSame(seen, [weak, introspected, strong].map((server) => `/notes/mcp ${server.issuer}`))
})

t.test('a server that comes back is used again without a restart, and nobody was let in meanwhile', async (t) => {
  const server = await foreignServer(t)
  const { clock, seen, call, status } = await serve(t, [
    { resource: NOTES, issuers: [server.issuer], verifier: byKeys(server, NOTES) }
  ])
  const token = server.token({ aud: NOTES })
  const outages = [
    (response: ServerResponse) => { response.destroy() },
    (response: ServerResponse) => { response.writeHead(503).end() },
    (response: ServerResponse) => { response.writeHead(200, { 'content-type': 'application/json' }).end('{"keys":') }
  ]
  for (const outage of outages) {
    server.answerWith((_request, response) => { outage(response) })
    const answer = await call(NOTES, token)
    t.equal(answer.status, 503)
    t.match(answer.headers.get('retry-after'), /^\d+$/)
    clock.advance(10)
  }
  t.equal(server.requests.length, outages.length)
  t.strictSame(seen, [])

  server.answerWith(null)
  t.equal(await status(NOTES, token), 200)
})
