import type { FastifyInstance, FastifyRequest } from 'fastify'
import { createClientManagement, type ManagementRequest } from '../../oauth/client-management.js'
import { readBearer } from '../../protocol/bearer.js'
import { refuseOtherMethods } from '../support/other-methods.js'
import { recordEvent } from '../support/record-event.js'
import type { OAuthContext } from './context.js'
import { answerOAuthErrors, sendJson } from './oauth-errors.js'
import type { RegistrationPolicy } from './registration-policy.js'

const CONFIG = { mcpSecurity: { public: true }, mcpLimit: 'sensitive' } as const

type ClientRoute = { Params: { clientId: string } }

const asked = (request: FastifyRequest<ClientRoute>): ManagementRequest =>
  ({ clientId: request.params.clientId, credentials: readBearer(request.raw.rawHeaders) })

/** `GET`, `PUT` and `DELETE` of one's own registration (RFC 7592, AS-R7). Not for scripts of other origins. */
export function managementEndpoint (scope: FastifyInstance, context: OAuthContext, policy: RegistrationPolicy): void {
  const { endpoints: { registration }, store } = context
  const management = createClientManagement({ ...store, rules: policy.rules, url: registration.url })
  const url = `${registration.path}/:clientId`
  const errorHandler = answerOAuthErrors('client.refused')
  const route = { config: CONFIG, errorHandler, exposeHeadRoute: false }

  scope.get<ClientRoute>(url, route, async (request, reply) =>
    sendJson(reply, await management.read(asked(request), store.clock())))

  scope.put<ClientRoute>(url, route, async (request, reply) => {
    const allow = policy.allow(request, null)
    const change = { ...asked(request), said: request.body, allow }
    const { body, events } = await management.replace(change, store.clock())
    for (const event of events) recordEvent(request, event)
    return sendJson(reply, body)
  })

  scope.delete<ClientRoute>(url, route, async (request, reply) => {
    recordEvent(request, await management.remove(asked(request), store.clock()))
    return await reply.code(204).header('cache-control', 'no-store').send()
  })

  refuseOtherMethods(scope, { url, allow: ['GET', 'PUT', 'DELETE'], config: CONFIG, errorHandler })
}
