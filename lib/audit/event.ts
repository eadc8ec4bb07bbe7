import type { AuditEvent, AuditEventType, AuditInput } from '../../types/audit.js'
import { bounded, boundedList, boundedOnce } from './bounded.js'

const OUTCOMES: Readonly<Record<AuditEventType, AuditEvent['outcome']>> = {
  'access.allowed': 'allowed',
  'access.denied': 'denied',
  'access.would-be-denied': 'allowed',
  'request.refused': 'denied',
  'request.completed': 'allowed',
  'request.aborted': 'allowed',
  'origin.refused': 'denied',
  'rate-limit.exceeded': 'denied',
  'client.registered': 'allowed',
  'client.refused': 'denied',
  'client.changed': 'allowed',
  'client.removed': 'allowed',
  'authorization.pushed': 'allowed',
  'authorization.requested': 'allowed',
  'authorization.refused': 'denied',
  'consent.granted': 'allowed',
  'consent.remembered': 'allowed',
  'consent.denied': 'denied',
  'consent.refused': 'denied',
  'token.issued': 'allowed',
  'token.repeated': 'allowed',
  'token.refused': 'denied',
  'code.replayed': 'denied',
  'refresh.reused': 'denied',
  'grant.revoked': 'allowed',
  'revocation.refused': 'denied',
  'introspection.answered': 'allowed',
  'introspection.refused': 'denied',
  'sign-in.succeeded': 'allowed',
  'sign-in.failed': 'denied',
  'sign-in.throttled': 'denied',
  'sign-out': 'allowed',
  'account.created': 'allowed',
  'account.changed': 'allowed',
  'account.removed': 'allowed',
  'key.created': 'allowed',
  'key.removed': 'allowed',
  'leniency.used': 'allowed',
  'configuration.changed': 'allowed'
}

/** Where a decision was made. Every member is `null` outside of a request. */
export type RequestFacts = Pick<AuditEvent, 'requestId' | 'method' | 'route' | 'address'>

export interface EventContext extends RequestFacts {
  readonly id: string
  readonly at: number
  readonly tenant: string
}

/**
 * Completes what a part told about a decision: every member is there, the outcome follows from the type, and no text
 * is longer than its bound or holds a character that could forge a line of a log.
 */
export function buildEvent (input: AuditInput, context: EventContext): AuditEvent {
  return {
    id: context.id,
    type: input.type,
    outcome: OUTCOMES[input.type],
    at: context.at,
    reason: bounded(input.reason, 300),
    subject: bounded(input.subject, 255),
    clientId: bounded(input.clientId, 2048),
    tenant: context.tenant,
    grantId: bounded(input.grantId, 128),
    resource: bounded(input.resource, 2048),
    operation: boundedOnce(input.operation, 300),
    scopesAsked: boundedList(input.scopesAsked, 100),
    scopesGranted: boundedList(input.scopesGranted, 100),
    requestId: boundedOnce(context.requestId, 128),
    method: bounded(context.method, 32),
    route: bounded(context.route, 512),
    address: bounded(context.address, 64)
  }
}
