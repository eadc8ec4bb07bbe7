import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AuditEventType } from '../../../types/audit.js'
import type { LimitedTier } from '../../../types/fastify.js'
import { answerPreflights } from '../support/open-cors.js'
import { refuseOtherMethods } from '../support/other-methods.js'
import { answerOAuthErrors } from './oauth-errors.js'

export interface JsonEndpoint {
  readonly url: string
  /** Besides the general one; `null` for none. */
  readonly limit: LimitedTier | null
  /** What the audit hears of a refusal. */
  readonly refused: AuditEventType
  readonly answer: (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>
}

/** A `POST` endpoint for clients: open to every origin, and OAuth JSON whatever happens (AS-T1, AS-T2, AS-T13). */
export function jsonEndpoint (scope: FastifyInstance, { url, limit, refused, answer }: JsonEndpoint): void {
  const errorHandler = answerOAuthErrors(refused)
  const config = { mcpSecurity: { public: true }, ...(limit === null ? {} : { mcpLimit: limit }), mcpCors: 'public' } as const
  scope.route({ method: 'POST', url, config, handler: answer, errorHandler })
  answerPreflights(scope, url)
  refuseOtherMethods(scope, { url, allow: ['POST', 'OPTIONS'], config, errorHandler })
}
