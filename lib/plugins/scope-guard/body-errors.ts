import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { MALFORMED, sendRefusal, TOO_LARGE, WRONG_TYPE, type Refusal } from './refusals.js'
import { reportUnread } from './report.js'

function refusalOf (error: FastifyError): Refusal | null {
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return WRONG_TYPE
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return TOO_LARGE
  // Fastify 5.0 hands on the parser's own SyntaxError.
  const unreadable = error.code?.startsWith('FST_ERR_CTP_') === true || error instanceof SyntaxError
  return unreadable && error.statusCode === 400 ? MALFORMED[-32700] : null
}

/**
 * The error handler of an MCP route whose host sets none: what Fastify refuses about a body is answered in JSON-RPC,
 * every other error goes on to the error handler of the scope.
 */
export function answerBodyErrors (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const refusal = refusalOf(error)
  if (refusal === null) throw error
  reportUnread(request, `status ${refusal.status}`)
  return sendRefusal(reply, refusal, { rpc: true, id: null })
}
