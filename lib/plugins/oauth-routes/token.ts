import type { FastifyInstance } from 'fastify'
import { answerTokenRequest } from '../../oauth/token-endpoint.js'
import { recordEvent } from '../support/record-event.js'
import type { OAuthContext } from './context.js'
import { jsonEndpoint } from './json-endpoint.js'
import { sendJson } from './oauth-errors.js'

/** Exchanges codes and refresh tokens (RFC 6749 §3.2, AS-T1 to AS-T9). Reads nothing from the query. */
export function tokenEndpoint (scope: FastifyInstance, context: OAuthContext): void {
  const { endpoints, tokens, store, clientRequestOf } = context
  jsonEndpoint(scope, {
    url: endpoints.token.path,
    limit: 'sensitive',
    refused: 'token.refused',
    async answer (request, reply) {
      const answer = await answerTokenRequest(clientRequestOf(request), tokens, store.clock())
      const { event, leniencies = [] } = answer
      for (const operation of leniencies) recordEvent(request, { ...event, type: 'leniency.used', operation })
      recordEvent(request, event)
      return sendJson(reply.code(answer.status), answer.body)
    }
  })
}
