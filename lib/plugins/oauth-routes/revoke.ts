import type { FastifyInstance } from 'fastify'
import { revokeToken } from '../../oauth/revocation.js'
import { recordEvent } from '../support/record-event.js'
import type { OAuthContext } from './context.js'
import { jsonEndpoint } from './json-endpoint.js'
import { sendJson } from './oauth-errors.js'

/** Ends tokens (RFC 7009). 200 for every token of an authenticated client, known or not (AS-V1). */
export function revocationEndpoint (scope: FastifyInstance, context: OAuthContext): void {
  const { endpoints, tokens, store, clientRequestOf } = context
  jsonEndpoint(scope, {
    url: endpoints.revocation.path,
    limit: 'sensitive',
    refused: 'revocation.refused',
    async answer (request, reply) {
      recordEvent(request, await revokeToken(clientRequestOf(request), tokens, store.clock()))
      return sendJson(reply.code(200), '{}')
    }
  })
}
