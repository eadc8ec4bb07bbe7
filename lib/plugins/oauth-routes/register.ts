import type { FastifyInstance } from 'fastify'
import { registerClient } from '../../oauth/registration.js'
import { recordEvent } from '../support/record-event.js'
import type { OAuthContext } from './context.js'
import { jsonEndpoint } from './json-endpoint.js'
import { sendJson } from './oauth-errors.js'

/** Lets clients register themselves (RFC 7591, AS-R1). What they say of themselves is assured by nobody. */
export function registrationEndpoint (scope: FastifyInstance, context: OAuthContext): void {
  const { endpoints, store, redirectSchemes: schemes, strict } = context
  const registration = { clients: store.clients, schemes, strict }
  jsonEndpoint(scope, {
    url: endpoints.registration.path,
    limit: 'registration',
    refused: 'client.refused',
    async answer (request, reply) {
      const { body, event } = await registerClient(request.body, registration, store.clock())
      recordEvent(request, event)
      return sendJson(reply.code(201), body)
    }
  })
}
