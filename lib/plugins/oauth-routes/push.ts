import type { FastifyInstance } from 'fastify'
import { authenticateClient } from '../../oauth/client-authentication.js'
import type { PushedRequests } from '../../oauth/pushed-requests.js'
import { createPushReader } from '../../oauth/sender-binding.js'
import { resolveRedirectUri } from '../../protocol/authorization-request.js'
import { single } from '../../protocol/form.js'
import { OAuthError } from '../../protocol/oauth-error.js'
import { recordEvent } from '../support/record-event.js'
import { readRequest } from './authorization-input.js'
import type { OAuthContext } from './context.js'
import { jsonEndpoint } from './json-endpoint.js'
import { sendJson } from './oauth-errors.js'

/**
 * Takes authorization requests ahead (RFC 9126, AS-P1): the client authenticates as at the token endpoint, and all of
 * the request is checked now, so that a wrong one never reaches a browser.
 */
export function pushEndpoint (scope: FastifyInstance, context: OAuthContext, requests: PushedRequests): void {
  const readPushed = createPushReader({ url: context.endpoints.pushedRequest.url, dpop: context.dpop })
  const { endpoints, store, clientRequestOf, tokens } = context
  const { leniencies: { localhostAnyPort } } = tokens
  jsonEndpoint(scope, {
    url: endpoints.pushedRequest.path,
    limit: 'sensitive',
    refused: 'authorization.refused',
    async answer (request, reply) {
      const sent = clientRequestOf(request)
      const { form } = sent
      const now = store.clock()
      if (form.has('request_uri')) {
        throw new OAuthError({ code: 'invalid_request', description: 'a pushed request must not name another one' })
      }
      const client = await authenticateClient(sent, tokens, now)
      const { clientId, metadata: { redirect_uris: registered } } = client
      resolveRedirectUri({ requested: single(form, 'redirect_uri'), registered, localhostAnyPort })
      const { form: bound, useProof } = readPushed(sent, now)
      const { scopes: scopesAsked } = readRequest({ form: bound, isPushed: true }, client, context)
      const whole = new Map([...bound, ['client_id', [clientId]] as const])
      const { requestUri, expiresIn } = await requests.push(client, whole, now, useProof)
      recordEvent(request, { type: 'authorization.pushed', clientId, scopesAsked })
      return sendJson(reply.code(201), JSON.stringify({ request_uri: requestUri, expires_in: expiresIn }))
    }
  })
}
