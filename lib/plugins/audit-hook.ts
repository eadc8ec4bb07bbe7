import { randomUUID } from 'node:crypto'
import fp from 'fastify-plugin'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { AuditHookOptions, AuditInput, RecordEvent } from '../../types/audit.js'
import { deliver, logEvent, type AuditLog } from '../audit/deliver.js'
import { endingOf } from '../audit/ending.js'
import { buildEvent, type RequestFacts } from '../audit/event.js'
import { systemClock } from '../clock.js'
import { PartOrderError } from '../errors.js'
import { assertOptions, schemas } from '../options.js'

const reported = Symbol('mcp-security-reported')

declare module 'fastify' {
  interface FastifyRequest {
    /** Reports a decision of this request. Never throws and waits for nothing. */
    audit: RecordEvent
    [reported]: boolean
  }
  interface FastifyInstance {
    /** Reports what belongs to no request. Never throws and waits for nothing. */
    mcpAudit: RecordEvent
  }
}

const LATER = ['security-headers', 'origin-guard', 'cors', 'rate-limits', 'pkce-store', 'sign-in', 'scope-guard']
const OUTSIDE: RequestFacts = Object.freeze({ requestId: null, method: null, route: null, address: null })

function factsOf (request: FastifyRequest): RequestFacts {
  const { config, url } = request.routeOptions
  return { requestId: request.id, method: request.method, route: config?.mcpName ?? url ?? null, address: request.ip }
}

const isGuarded = (request: FastifyRequest): boolean => request.routeOptions.config?.mcpSecurity?.public !== true

const auditHookPlugin: FastifyPluginAsync<AuditHookOptions> = async (fastify, options) => {
  assertOptions(schemas.auditHook, options, 'audit')
  const { sink, log: logged = true, tenant = 'default', clock = systemClock } = options
  const early = LATER.find((part) => fastify.hasPlugin(`mcp-security-${part}`))
  if (early !== undefined) throw new PartOrderError(`auditHook must be registered before mcp-security-${early}`)

  function send (input: AuditInput, log: AuditLog, facts: RequestFacts): void {
    if (!logged && sink === undefined) return
    const { requestId, method, route, address } = facts
    const event = buildEvent(input, { id: randomUUID(), at: clock(), tenant, requestId, method, route, address })
    if (logged) logEvent(event, log)
    if (sink !== undefined) deliver(event, sink, log)
  }

  fastify.decorate('mcpAudit', (input: AuditInput) => { send(input, fastify.log, OUTSIDE) })
  fastify.decorateRequest(reported, false)
  fastify.decorateRequest('audit', function (this: FastifyRequest, input: AuditInput) {
    this[reported] = true
    send(input, this.log, factsOf(this))
  })

  function end (request: FastifyRequest, { raw: { writableEnded, statusCode } }: FastifyReply): void {
    if (request[reported]) return
    const input = endingOf({ answered: writableEnded, statusCode, guarded: isGuarded(request) })
    if (input !== null) request.audit(input)
  }

  // Not onResponse and onRequestAbort: neither tells of a client that leaves an event stream which answers a POST.
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.raw.on('close', () => { end(request, reply) })
    done()
  })
}

/**
 * Reports decisions as typed events: to the app's logger, to a callback, or both. Adds `request.audit` and
 * `fastify.mcpAudit`, with which the other parts, and the host, report what they decide; the event goes out at once.
 * A guarded request that ends without any event, and every refused one, is reported when it ends, once.
 *
 * Waits for no sink and keeps nothing: what a failing sink loses is lost, and is logged.
 *
 * @throws {PartOrderError} `MCPS_ERR_PART_ORDER` at boot when another part was registered before.
 */
export const auditHook = fp(auditHookPlugin, { name: 'mcp-security-audit-hook', fastify: '5.x' })
export default auditHook
export type { RouteSecurity } from '../../types/fastify.js'
export type { AuditEvent, AuditEventType, AuditHookOptions, AuditInput, AuditSink, RecordEvent } from '../../types/audit.js'
