import type { FastifyRequest } from 'fastify'
import { readAuthorizationTarget, resolveRedirectUri } from '../../protocol/authorization-request.js'
import type { Form } from '../../protocol/form.js'
import { OAuthError } from '../../protocol/oauth-error.js'
import { matchRedirectUri } from '../../protocol/redirect-uri.js'
import type { Client } from '../../../types/oauth.js'
import { recordEvent } from '../support/record-event.js'
import type { OAuthContext } from './context.js'

/** Who asks, and where the answer goes: one of the client's own redirect URIs. */
export interface AuthorizationTarget {
  readonly client: Client
  readonly redirectUri: string
}

/**
 * Finds out whom an authorization request comes from. Until this has succeeded nothing is sent anywhere (AS-A2).
 * @throws {OAuthError} for a page.
 */
export async function findTarget (
  request: FastifyRequest, form: Form, context: OAuthContext
): Promise<AuthorizationTarget> {
  const { store, tokens: { leniencies: { localhostAnyPort } } } = context
  const { clientId, redirectUri: requested } = readAuthorizationTarget(form)
  const client = await store.clients.find(clientId, store.clock())
  if (client === null) {
    throw new OAuthError({ code: 'invalid_client', description: 'the application is not known here', reason: 'unknown client', status: 400 })
  }
  const registered = client.metadata.redirect_uris
  const redirectUri = resolveRedirectUri({ requested, registered, localhostAnyPort })
  if (!matchRedirectUri({ registered, requested: redirectUri, localhostAnyPort: false })) {
    recordEvent(request, { type: 'leniency.used', operation: 'localhostAnyPort', clientId })
  }
  return { client, redirectUri }
}
