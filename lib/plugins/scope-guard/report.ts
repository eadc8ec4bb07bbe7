import type { FastifyRequest } from 'fastify'
import type { Decision, Operation } from '../../../types/access.js'
import type { AuditInput } from '../../../types/audit.js'
import type { Principal } from '../../../types/principal.js'
import { isAudited, recordEvent } from '../support/record-event.js'

export interface Decided {
  readonly operation: Operation
  readonly decision: Decision
}

/** Names only what the policy knows: never text of the request. */
function nameOf (request: FastifyRequest, { operation, decision }: Decided): string {
  if (operation.type === 'route') return `${request.method} ${request.routeOptions.url ?? 'unknown route'}`
  const reason = decision.allowed ? null : decision.reason
  if (reason === 'unknown-method') return 'unknown method'
  const { method, component } = operation
  return component === null || reason === 'unknown-component' ? method : `${method} ${component.name}`
}

/** One event for each operation. Where one of a batch is denied, what was allowed by itself is denied with it. */
export function reportDecisions (request: FastifyRequest, principal: Principal, decided: readonly Decided[]): void {
  if (!isAudited(request)) return
  const { subject, clientId, grantId, resource, scopes: scopesGranted } = principal
  const passes = decided.every(({ decision }) => decision.allowed)
  for (const one of decided) {
    const { required: scopesAsked } = one.decision
    const operation = nameOf(request, one)
    const event: AuditInput =
      { type: 'access.allowed', subject, clientId, grantId, resource, operation, scopesAsked, scopesGranted }
    if (passes) recordEvent(request, event)
    else recordEvent(request, { ...event, type: 'access.denied', reason: reasonOf(one.decision) })
  }
}

const reasonOf = (decision: Decision): string => decision.allowed ? 'batch denied' : decision.reason

/** A request of which no operation could be read: nothing was decided, but it is known who asked. */
export function reportUnread (request: FastifyRequest, reason: string): void {
  if (request.mcpAuth === null) return
  const { subject, clientId, grantId, resource, scopes: scopesGranted } = request.mcpAuth
  recordEvent(request, { type: 'request.refused', subject, clientId, grantId, resource, scopesGranted, reason })
}
