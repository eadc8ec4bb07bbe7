import type { AuditEvent, AuditSink } from '../../types/audit.js'

/** What the sinks need of a pino logger. */
export interface AuditLog {
  info (fields: object, message: string): void
  warn (fields: object, message: string): void
  error (fields: object, message: string): void
}

/** Writes an event to the log, refusals a level higher. */
export function logEvent (event: AuditEvent, log: AuditLog): void {
  const level = event.outcome === 'denied' ? 'warn' : 'info'
  log[level]({ mcpAudit: event }, event.type)
}

/**
 * Hands an event to a sink and does not wait for it. A sink that throws or rejects is logged under the id of the
 * request, and nothing else happens: the event is not tried again.
 */
export function deliver (event: AuditEvent, sink: AuditSink, log: AuditLog): void {
  const failed = (error: unknown): void => {
    log.error({ err: error, auditEventId: event.id, requestId: event.requestId }, 'the audit sink failed')
  }
  try {
    const pending: unknown = sink(event)
    if (pending !== undefined) Promise.resolve(pending).catch(failed)
  } catch (error) {
    failed(error)
  }
}
