import type { Clock } from './clock.js'

/** The catalogue. An event of another type does not exist. */
export type AuditEventType =
  | 'access.allowed' | 'access.denied' | 'access.would-be-denied'
  | 'request.refused' | 'request.completed' | 'request.aborted'
  | 'origin.refused' | 'rate-limit.exceeded'
  | 'client.registered' | 'client.refused' | 'client.changed' | 'client.removed'
  | 'authorization.pushed' | 'authorization.requested' | 'authorization.refused'
  | 'consent.granted' | 'consent.remembered' | 'consent.denied' | 'consent.refused'
  | 'token.issued' | 'token.repeated' | 'token.refused'
  | 'code.replayed' | 'refresh.reused'
  | 'grant.revoked' | 'revocation.refused'
  | 'introspection.answered' | 'introspection.refused'
  | 'sign-in.succeeded' | 'sign-in.failed' | 'sign-in.throttled' | 'sign-out'
  | 'account.created' | 'account.changed' | 'account.removed'
  | 'key.created' | 'key.removed' | 'leniency.used' | 'configuration.changed'

/** What a part tells about one decision. Never a secret, code, token, verifier or argument value. */
export interface AuditInput {
  readonly type: AuditEventType
  /** A stable word or phrase from our own code, never text of the request. */
  readonly reason?: string
  readonly subject?: string | null
  readonly clientId?: string | null
  readonly grantId?: string | null
  readonly resource?: string | null
  /** For example `tools/call add_note` or `authorization_code`. */
  readonly operation?: string
  readonly scopesAsked?: readonly string[]
  readonly scopesGranted?: readonly string[]
}

/** One decision, as the sink gets it. Every member is always there. */
export interface AuditEvent {
  /** Unguessable and unique. */
  readonly id: string
  readonly type: AuditEventType
  readonly outcome: 'allowed' | 'denied'
  /** Seconds since the Unix epoch. */
  readonly at: number
  readonly reason: string | null
  readonly subject: string | null
  readonly clientId: string | null
  readonly tenant: string
  readonly grantId: string | null
  readonly resource: string | null
  readonly operation: string | null
  readonly scopesAsked: readonly string[]
  readonly scopesGranted: readonly string[]
  /** `null` for what happened outside of a request. */
  readonly requestId: string | null
  readonly method: string | null
  /** The route's pattern, never the URL. */
  readonly route: string | null
  readonly address: string | null
}

/** May be slow or fail; a failure is logged and never changes the answer. */
export type AuditSink = (event: AuditEvent) => void | Promise<void>

export interface AuditOptions {
  /** Called with each event. */
  readonly sink?: AuditSink
  /** Writes each event to the app's logger as `mcpAudit`, level `info` (allowed) or `warn` (denied). Default `true`. */
  readonly log?: boolean
}

/** The audit hook registered by itself; the umbrella hands on its own tenant and clock. */
export interface AuditHookOptions extends AuditOptions {
  /** Default `default`. */
  readonly tenant?: string
  readonly clock?: Clock
}

/** `request.audit`: reports a decision of this request. */
export type RecordEvent = (input: AuditInput) => void
