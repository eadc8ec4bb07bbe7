import { readClientMetadata } from '../protocol/client-metadata.js'
import type { AuditInput } from '../../types/audit.js'
import type { ClientAuthenticationMethod, ClientMetadata } from '../../types/oauth.js'
import type { Clients } from './clients.js'

export interface RegistrationContext {
  readonly clients: Clients
  /** Private-use redirect schemes that may be registered (AS-A4). */
  readonly schemes: readonly string[]
  /** Holds `web` applications to https off loopback (AS-R3). */
  readonly strict: boolean
  /** Whether the device grant can be registered. */
  readonly deviceAuthorization?: boolean
  /** Whether a certificate of the TLS connection can show who a client is. */
  readonly certificates?: boolean
}

export interface RegistrationRequest {
  /** The body, parsed. */
  readonly said: unknown
  /** Whose it is: an IPv4 address, or an IPv6 /64. */
  readonly address?: string
}

/**
 * Registers a client that nobody knows (RFC 7591, AS-R1 to AS-R5). The body, to be sent with 201 and `no-store`, is
 * the metadata exactly as stored, and the secret, if any, for the only time.
 *
 * @throws {OAuthError} `invalid_client_metadata`, `invalid_redirect_uri`; `too_many_requests` when there is no room.
 */
export async function registerClient (
  { said, address }: RegistrationRequest, context: RegistrationContext, now: number
): Promise<{ readonly body: string, readonly event: AuditInput }> {
  const metadata = readClientMetadata(said, context)
  const authenticationMethods = methodsOf(said, metadata)
  const { client, secret, how } = await context.clients.register({
    metadata, authenticationMethods, ...(address === undefined ? {} : { address })
  }, now)
  const body = JSON.stringify({
    client_id: client.clientId,
    client_id_issued_at: client.issuedAt,
    ...(secret === null ? {} : { client_secret: secret, client_secret_expires_at: 0 }),
    ...metadata
  })
  return { body, event: { type: 'client.registered', reason: how, clientId: client.clientId } }
}

/** A client that named a method is held to it; one that did not may send its secret either way (section 2, rule 6). */
function methodsOf (input: unknown, metadata: ClientMetadata): readonly ClientAuthenticationMethod[] {
  const named: unknown = Object.getOwnPropertyDescriptor(input, 'token_endpoint_auth_method')?.value
  const registered = metadata.token_endpoint_auth_method
  return named === registered ? [registered] : ['client_secret_basic', 'client_secret_post']
}
