import type { FastifyInstance } from 'fastify'
import { registerClient } from '../../oauth/registration.js'
import { OAuthError } from '../../protocol/oauth-error.js'
import { addressKeys } from '../support/address-key.js'
import { answerPreflights } from '../support/open-cors.js'
import { recordEvent } from '../support/record-event.js'
import type { OAuthContext } from './context.js'
import { jsonEndpoint } from './json-endpoint.js'
import { answerOAuthErrors, sendJson } from './oauth-errors.js'
import type { RegistrationPolicy } from './registration-policy.js'

/** Lets clients register themselves (RFC 7591, AS-R1). What they say of themselves is assured by nobody. */
export function registrationEndpoint (
  scope: FastifyInstance, { endpoints, store }: OAuthContext, { policy, management }: {
    readonly policy: RegistrationPolicy
    readonly management: boolean
  }
): void {
  const registration = {
    ...policy.rules, clients: store.clients, ...(management ? { managementUrl: endpoints.registration.url } : {})
  }
  const keyOf = addressKeys()
  jsonEndpoint(scope, {
    url: endpoints.registration.path,
    limit: 'registration',
    refused: 'client.refused',
    async answer (request, reply) {
      const admission = await policy.admit(request, reply)
      if (admission.answered) return reply
      const { subject } = admission
      const asked = { said: request.body, address: keyOf(request.ip), allow: policy.allow(request, subject) }
      const { body, event, leniencies } = await registerClient(asked, registration, store.clock())
      for (const operation of leniencies) recordEvent(request, { ...event, subject, type: 'leniency.used', operation })
      recordEvent(request, { ...event, subject })
      return sendJson(reply.code(201), body)
    }
  })
}

/** Where clients cannot register: a 404 for those of revision 2025-03-26, which guess the URL and read the answer. */
export function noRegistration (scope: FastifyInstance, { endpoints }: OAuthContext): void {
  const refuse = async (): Promise<never> => {
    throw new OAuthError({ code: 'invalid_request', description: 'clients cannot register themselves here', reason: 'registration is off', status: 404 })
  }
  const config = { mcpSecurity: { public: true }, mcpLimit: 'registration', mcpCors: 'public' } as const
  const { path: url } = endpoints.registration
  scope.route({
    method: scope.supportedMethods.filter((method) => method !== 'OPTIONS'),
    url,
    config,
    exposeHeadRoute: false,
    onRequest: refuse,
    errorHandler: answerOAuthErrors('client.refused'),
    handler: refuse
  })
  answerPreflights(scope, url)
}
