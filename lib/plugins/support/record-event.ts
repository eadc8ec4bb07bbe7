import type { FastifyRequest } from 'fastify'
import type { LeniencyUses } from '../../oauth/leniency-uses.js'
import type { AuditInput, RecordEvent } from '../../../types/audit.js'

/** Whether an audit hook is there, for parts that would otherwise make up events for nobody on every request. */
// Not the type of the audit hook's own file: a part that is imported alone must not declare what it does not bring.
export const isAudited = (request: FastifyRequest): request is FastifyRequest & { readonly audit: RecordEvent } =>
  'mcpAudit' in request.server

interface Counting { readonly pkceStore: { readonly leniencyUses: LeniencyUses } }

const isCounting = (server: object): server is Counting => 'pkceStore' in server

/**
 * Tells the audit hook what a part decided about a request, where one is registered. A leniency that was used is
 * counted in any case.
 */
export function recordEvent (request: FastifyRequest, input: AuditInput): void {
  const { type, operation = '' } = input
  if (type === 'leniency.used' && isCounting(request.server)) request.server.pkceStore.leniencyUses.add(operation)
  if (isAudited(request)) request.audit(input)
}
