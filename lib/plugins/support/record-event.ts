import type { FastifyRequest } from 'fastify'
import type { AuditInput, RecordEvent } from '../../../types/audit.js'

/** Whether an audit hook is there, for parts that would otherwise make up events for nobody on every request. */
// Not the type of the audit hook's own file: a part that is imported alone must not declare what it does not bring.
export const isAudited = (request: FastifyRequest): request is FastifyRequest & { readonly audit: RecordEvent } =>
  'mcpAudit' in request.server

/** Tells the audit hook what a part decided about a request. Does nothing where no audit hook is registered. */
export function recordEvent (request: FastifyRequest, input: AuditInput): void {
  if (isAudited(request)) request.audit(input)
}
