import { isWebRedirect, readClientMetadata } from '../protocol/client-metadata.js'
import type { AuditInput } from '../../types/audit.js'
import type { ClientAuthenticationMethod, ClientMetadata } from '../../types/oauth.js'
import type { Leniencies, LeniencyName } from '../../types/options.js'
import type { Clients } from './clients.js'

const EITHER = ['client_secret_basic', 'client_secret_post'] as const

export interface RegistrationContext {
  readonly clients: Clients
  /** Private-use redirect schemes that may be registered (AS-A4). */
  readonly schemes: readonly string[]
  /** Whether the device grant can be registered. */
  readonly deviceAuthorization?: boolean
  /** Whether a certificate of the TLS connection can show who a client is. */
  readonly certificates?: boolean
  readonly leniencies: Pick<Leniencies, 'eitherSecretMethod' | 'loopbackWebClient'>
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
): Promise<{ readonly body: string, readonly event: AuditInput, readonly leniencies: readonly LeniencyName[] }> {
  const { leniencies: { eitherSecretMethod, loopbackWebClient } } = context
  const metadata = readClientMetadata(said, { ...context, strict: !loopbackWebClient })
  const isUnnamed = !isNamed(said, metadata)
  const authenticationMethods: readonly ClientAuthenticationMethod[] = isUnnamed && eitherSecretMethod
    ? EITHER
    : [metadata.token_endpoint_auth_method]
  const { client, secret, how } = await context.clients.register({
    metadata, authenticationMethods, ...(address === undefined ? {} : { address })
  }, now)
  const body = JSON.stringify({
    client_id: client.clientId,
    client_id_issued_at: client.issuedAt,
    ...(secret === null ? {} : { client_secret: secret, client_secret_expires_at: 0 }),
    ...metadata
  })
  const used: readonly LeniencyName[] = [
    ...(authenticationMethods === EITHER ? ['eitherSecretMethod'] as const : []),
    ...(isOfItsType(metadata) ? [] : ['loopbackWebClient'] as const)
  ]
  return { body, event: { type: 'client.registered', reason: how, clientId: client.clientId }, leniencies: used }
}

/** Whether a client said how it authenticates: then it is held to that (section 2, rule 6). */
function isNamed (input: unknown, metadata: ClientMetadata): boolean {
  const named: unknown = Object.getOwnPropertyDescriptor(input, 'token_endpoint_auth_method')?.value
  return named === metadata.token_endpoint_auth_method
}

/** Whether a client is one of the web, or says that it is none. */
function isOfItsType ({ application_type: type, redirect_uris: uris }: ClientMetadata): boolean {
  return type === 'native' || uris.every(isWebRedirect)
}
