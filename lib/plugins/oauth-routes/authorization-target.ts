import type { FastifyRequest } from 'fastify'
import { readAuthorizationTarget, resolveRedirectUri } from '../../protocol/authorization-request.js'
import { isClientIdUrl, unknownClient } from '../../protocol/client-document.js'
import { single, type Form } from '../../protocol/form.js'
import { matchRedirectUri } from '../../protocol/redirect-uri.js'
import type { Client } from '../../../types/oauth.js'
import type { SignedInUser } from '../../../types/sign-in.js'
import { recordEvent } from '../support/record-event.js'
import type { OAuthContext } from './context.js'

/** Who asks, and where the answer goes: one of the client's own redirect URIs. */
export interface AuthorizationTarget {
  readonly client: Client
  readonly redirectUri: string
}

/**
 * Whether the client has to be fetched: for that, the user has to be signed in first, since nothing is fetched for
 * strangers (PX-15).
 */
export function mustBeFetched (form: Form, { documents }: OAuthContext): boolean {
  return documents !== null && isClientIdUrl(single(form, 'client_id') ?? '')
}

/** The client as it is known here; one with a document is read anew when that is due and somebody is signed in. */
async function findClient (clientId: string, context: OAuthContext, user: SignedInUser | null): Promise<Client | null> {
  const { documents, clients, store } = context
  if (documents !== null && user !== null) return await documents.read(clientId, user.subject, store.clock())
  return await clients.find(clientId, store.clock())
}

/**
 * Finds out whom an authorization request comes from. Until this has succeeded nothing is sent anywhere (AS-A2).
 * @throws {OAuthError} for a page.
 */
export async function findTarget (
  request: FastifyRequest, form: Form, { context, user }: {
    readonly context: OAuthContext
    /** For a client that has to be fetched; `null` for others. */
    readonly user: SignedInUser | null
  }
): Promise<AuthorizationTarget> {
  const { tokens: { leniencies: { localhostAnyPort } } } = context
  const { clientId, redirectUri: requested } = readAuthorizationTarget(form)
  const client = await findClient(clientId, context, user)
  if (client === null) throw unknownClient('unknown client')
  const registered = client.metadata.redirect_uris
  const redirectUri = resolveRedirectUri({ requested, registered, localhostAnyPort })
  if (!matchRedirectUri({ registered, requested: redirectUri, localhostAnyPort: false })) {
    recordEvent(request, { type: 'leniency.used', operation: 'localhostAnyPort', clientId })
  }
  return { client, redirectUri }
}
