import type { FastifyRequest } from 'fastify'
import type { Component, Decision, Operation } from '../../../types/access.js'
import type { AuditInput } from '../../../types/audit.js'
import type { Principal } from '../../../types/principal.js'
import type { Policy } from '../../access/policy.js'
import { isAudited, recordEvent } from '../support/record-event.js'

/** What the policy decided, or the host after it. */
export type Verdict = Decision | {
  readonly allowed: false
  /** The host could not say. */
  readonly reason: 'host failed'
  readonly required: readonly string[]
  readonly missing: readonly string[]
}

export interface Decided {
  readonly operation: Operation
  readonly decision: Verdict
}

interface Report {
  readonly decided: readonly Decided[]
  readonly policy: Policy
  readonly reportOnly: boolean
}

/** As the rule says it: what stands in the place of a template's variables is text of the request. */
function componentName (component: Component, policy: Policy): string {
  if (component.kind !== 'resource') return component.name
  const rule = policy.ruleOf(component)
  return String(rule?.resource ?? rule?.resourceTemplate)
}

/** Names only what the policy knows: never text of the request. */
function nameOf (request: FastifyRequest, { operation, decision }: Decided, policy: Policy): string {
  if (operation.type === 'route') return `${request.method} ${request.routeOptions.url ?? 'unknown route'}`
  const reason = decision.allowed ? null : decision.reason
  if (reason === 'unknown-method') return 'unknown method'
  const { method, component } = operation
  return component === null || reason === 'unknown-component' ? method : `${method} ${componentName(component, policy)}`
}

/**
 * One event for each operation. Where one of a batch is denied, what was allowed by itself is denied with it; where
 * everything passes all the same, the events say what would have been denied.
 */
export function reportDecisions (
  request: FastifyRequest, principal: Principal, { decided, policy, reportOnly }: Report
): void {
  if (!isAudited(request)) return
  const { subject, clientId, grantId, resource, scopes: scopesGranted } = principal
  const passes = decided.every(({ decision }) => decision.allowed)
  const denied = reportOnly ? 'access.would-be-denied' : 'access.denied'
  for (const one of decided) {
    const { required: scopesAsked } = one.decision
    const operation = nameOf(request, one, policy)
    const event: AuditInput =
      { type: 'access.allowed', subject, clientId, grantId, resource, operation, scopesAsked, scopesGranted }
    if (passes) recordEvent(request, event)
    else recordEvent(request, { ...event, type: denied, reason: reasonOf(one.decision) })
  }
}

const reasonOf = (decision: Verdict): string => decision.allowed ? 'batch denied' : decision.reason

/** A request of which no operation could be read: nothing was decided, but it is known who asked. */
export function reportUnread (request: FastifyRequest, reason: string): void {
  if (request.mcpAuth === null) return
  const { subject, clientId, grantId, resource, scopes: scopesGranted } = request.mcpAuth
  recordEvent(request, { type: 'request.refused', subject, clientId, grantId, resource, scopesGranted, reason })
}
