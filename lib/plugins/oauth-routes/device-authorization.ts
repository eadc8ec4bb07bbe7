import type { FastifyInstance } from 'fastify'
import { showUserCode } from '../../crypto/user-code.js'
import { authenticateClient } from '../../oauth/client-authentication.js'
import { DEVICE_GRANT } from '../../protocol/grant-types.js'
import { OAuthError } from '../../protocol/oauth-error.js'
import { recordEvent } from '../support/record-event.js'
import { readAccess } from './authorization-input.js'
import type { DeviceContext, OAuthContext } from './context.js'
import { jsonEndpoint } from './json-endpoint.js'
import { sendJson } from './oauth-errors.js'

/**
 * Gives a device that has no browser two codes: one to ask with, one for a person to type elsewhere (RFC 8628 §3.1,
 * §3.2). The client authenticates as at the token endpoint and has to have registered the grant. What it asks for is
 * checked now, so that a wrong request never reaches a person.
 */
export function deviceAuthorizationEndpoint (
  scope: FastifyInstance, context: OAuthContext, { authorizations, networkOf }: DeviceContext
): void {
  const { endpoints, store, clientRequestOf, tokens } = context
  const { url: verificationUri } = endpoints.device
  jsonEndpoint(scope, {
    url: endpoints.deviceAuthorization.path,
    limit: 'sensitive',
    refused: 'authorization.refused',
    async answer (request, reply) {
      const sent = clientRequestOf(request)
      const now = store.clock()
      const client = await authenticateClient(sent, tokens, now)
      const { clientId, metadata: { grant_types: grantTypes } } = client
      if (!grantTypes.includes(DEVICE_GRANT)) {
        throw new OAuthError({ code: 'unauthorized_client', description: 'the client did not register this grant type' })
      }
      const { leniencies, ...access } = readAccess(sent.form, client, context)
      const opened = await authorizations.open({ clientId, ...access, network: networkOf(request.ip) }, now)
      for (const operation of leniencies) recordEvent(request, { type: 'leniency.used', operation, clientId })
      const { resource, scopes: scopesAsked } = access
      recordEvent(request, { type: 'authorization.requested', operation: 'device_code', clientId, resource, scopesAsked })
      const userCode = showUserCode(opened.userCode)
      return sendJson(reply.code(200), JSON.stringify({
        device_code: opened.deviceCode,
        user_code: userCode,
        verification_uri: verificationUri,
        verification_uri_complete: `${verificationUri}?user_code=${userCode}`,
        expires_in: opened.expiresIn,
        interval: opened.interval
      }))
    }
  })
}
