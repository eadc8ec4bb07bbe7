import type { FastifyInstance } from 'fastify'
import { writeIntrospection } from '../../oauth/introspection-answer.js'
import { introspectToken } from '../../oauth/introspection.js'
import { recordEvent } from '../support/record-event.js'
import type { OAuthContext } from './context.js'
import { jsonEndpoint } from './json-endpoint.js'
import { sendJson } from './oauth-errors.js'

/** Tells resource servers about tokens (RFC 7662, RFC 9701, AS-I1 to AS-I3). */
export function introspectionEndpoint (scope: FastifyInstance, context: OAuthContext): void {
  const { endpoints, tokens, store, clientRequestOf } = context
  jsonEndpoint(scope, {
    url: endpoints.introspection.path,
    // Resource servers ask for each token that they have not seen lately.
    limit: null,
    refused: 'introspection.refused',
    async answer (request, reply) {
      const now = store.clock()
      const told = await introspectToken(clientRequestOf(request), tokens, now)
      const { type, body } = await writeIntrospection(told, request.headers.accept, { context: tokens, now })
      recordEvent(request, told.event)
      return sendJson(reply.code(200), body, type)
    }
  })
}
