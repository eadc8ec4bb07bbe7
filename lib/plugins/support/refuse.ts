import type { FastifyReply, FastifyRequest } from 'fastify'
import type {} from '../../../types/fastify.js'
import { errorPage } from '../../pages/error-page.js'
import { OAuthError, type OAuthErrorCode } from '../../protocol/oauth-error.js'
import { sendPage } from './send-page.js'

/** A refusal that comes before authentication. Everything in it goes on the wire. */
export interface EarlyRefusal {
  readonly status: number
  readonly code: OAuthErrorCode
  readonly description: string
  /** For people. */
  readonly title: string
}

function bodyFor (request: FastifyRequest, { code, description, status }: EarlyRefusal): object {
  const guarded = request.routeOptions.config?.mcpSecurity?.public !== true
  return guarded
    ? { jsonrpc: '2.0', error: { code: -32000, message: description }, id: null }
    : new OAuthError({ code, description, status })
}

/**
 * Refuses in the words of the one who asks: JSON-RPC at guarded routes (TR-1), OAuth JSON at open ones (AS-T15), a
 * page where the route is for people.
 *
 * A hook calls it and is done: it neither calls `done` nor returns the reply, for which Fastify would wait as for a
 * promise, and go on to the handler when the client leaves before the answer is out.
 */
export function refuse (request: FastifyRequest, reply: FastifyReply, refusal: EarlyRefusal): FastifyReply {
  const { status, title, description: message } = refusal
  if (request.routeOptions.config?.mcpPage === true) {
    return sendPage(reply, { status, html: errorPage({ status, title, message: `${message}.`, requestId: request.id }) })
  }
  return reply.code(status).headers({
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store'
  }).send(JSON.stringify(bodyFor(request, refusal)))
}
