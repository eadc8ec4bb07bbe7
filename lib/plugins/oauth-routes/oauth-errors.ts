import type { FastifyReply, FastifyRequest } from 'fastify'
import { TokenRefusal, type AuditFacts } from '../../oauth/token-refusal.js'
import type { OAuthError } from '../../protocol/oauth-error.js'
import type { AuditEventType } from '../../../types/audit.js'
import { recordEvent } from '../support/record-event.js'
import { refusalOf } from '../support/refusal.js'
import { sayWhenToRetry } from '../support/retry-after.js'

export type ErrorHandler = (error: unknown, request: FastifyRequest, reply: FastifyReply) => FastifyReply

/**
 * The error handler of an OAuth endpoint: every status as OAuth JSON with `no-store` (RFC 6749 §5.2, AS-T2), the
 * precise reason to the audit as an event of `type` and, where it is our fault, to the log.
 * `WWW-Authenticate: Basic` goes to a client that used the Authorization header, and to no other; `Bearer` to one that
 * needs another token.
 */
export function answerOAuthErrors (type: AuditEventType): ErrorHandler {
  return function (error, request, reply) {
    const refusal = refusalOf(error)
    report(refusal, type, request)
    if (refusal.code === 'invalid_client' && request.headers.authorization !== undefined) {
      reply.header('www-authenticate', 'Basic realm="oauth"')
    }
    if (refusal.code === 'invalid_token') reply.header('www-authenticate', 'Bearer realm="oauth"')
    sayWhenToRetry(reply, refusal.status)
    return sendJson(reply.code(refusal.status), JSON.stringify(refusal))
  }
}

/** Tells the audit why, and the log when it is our fault. */
export function report (
  refusal: OAuthError, type: AuditEventType, request: FastifyRequest, facts: AuditFacts = {}
): void {
  if (refusal.status >= 500) request.log.error({ err: refusal }, refusal.reason)
  const events = refusal instanceof TokenRefusal ? refusal.events : [{ type, reason: refusal.reason, ...facts }]
  for (const event of events) recordEvent(request, event)
}

/** Sends JSON text, or what is signed in its place, that nobody may keep. */
export function sendJson (
  reply: FastifyReply, body: string, type = 'application/json; charset=utf-8'
): FastifyReply {
  return reply.headers({
    'content-type': type,
    'cache-control': 'no-store',
    pragma: 'no-cache'
  }).send(body)
}
