import { isWebRedirect, readClientMetadata } from '../protocol/client-metadata.js'
import { OAuthError } from '../protocol/oauth-error.js'
import type { AuditInput } from '../../types/audit.js'
import type { Client, ClientAuthenticationMethod, ClientMetadata } from '../../types/oauth.js'
import type { Leniencies, LeniencyName } from '../../types/options.js'
import type { Clients } from './clients.js'
import type { ReadStatement } from './software-statement.js'

const EITHER = ['client_secret_basic', 'client_secret_post'] as const

export interface RegistrationRules {
  /** Private-use redirect schemes that may be registered (AS-A4). */
  readonly schemes: readonly string[]
  /** Whether the device grant can be registered. */
  readonly deviceAuthorization?: boolean
  /** Whether a certificate of the TLS connection can show who a client is. */
  readonly certificates?: boolean
  readonly leniencies: Pick<Leniencies, 'eitherSecretMethod' | 'loopbackWebClient'>
  /** Left out where software statements mean nothing. */
  readonly readStatement?: ReadStatement
}

export interface RegistrationContext extends RegistrationRules {
  readonly clients: Clients
  /** Where clients manage their registrations, without the id; left out where they cannot. */
  readonly managementUrl?: string
}

/** What is about to be registered, read and checked. */
export interface ReadRegistration {
  readonly metadata: ClientMetadata
  readonly authenticationMethods: readonly ClientAuthenticationMethod[]
  readonly statement: string | null
  readonly statementIssuer: string | null
  /** Those that it took. */
  readonly leniencies: readonly LeniencyName[]
}

export interface RegistrationRequest {
  /** The body, parsed. */
  readonly said: unknown
  /** Whose it is: an IPv4 address, or an IPv6 /64. */
  readonly address?: string
  /** The host's word; only `true` lets through. */
  readonly allow?: (read: ReadRegistration) => boolean | Promise<boolean>
}

/** What a client is told about its registration (RFC 7591 §3.2.1, RFC 7592 §3). */
export interface ClientInformation {
  readonly client: Client
  readonly statement: string | null
  /** `null` when there is none, or it was told before. */
  readonly secret: string | null
  /** With where it is good; `null` when the client does not manage its registration. */
  readonly management: { readonly accessToken: string, readonly url: string } | null
}

/**
 * Registers a client that nobody knows (RFC 7591, AS-R1 to AS-R5). The body, to be sent with 201 and `no-store`, is
 * the metadata exactly as stored, and the secret and the token for managing, if any, for the only time.
 *
 * @throws {OAuthError} `invalid_client_metadata`, `invalid_redirect_uri`, `access_denied` when the host does not allow
 * it, what the software statement deserves; `too_many_requests` when there is no room.
 */
export async function registerClient (
  { address, ...asked }: RegistrationRequest, context: RegistrationContext, now: number
): Promise<{ readonly body: string, readonly event: AuditInput, readonly leniencies: readonly LeniencyName[] }> {
  const { clients, managementUrl } = context
  const { metadata, authenticationMethods, statement, leniencies } = await readRegistration(asked, context, now)
  const { client, secret, accessToken, how } = await clients.register({
    metadata,
    authenticationMethods,
    managed: managementUrl !== undefined,
    ...(address === undefined ? {} : { address })
  }, now)
  const management = accessToken === null || managementUrl === undefined ? null : { accessToken, url: managementUrl }
  const body = informationText({ client, statement, secret, management })
  return { body, event: { type: 'client.registered', reason: how, clientId: client.clientId }, leniencies }
}

/**
 * Reads what a client says of itself, and asks everybody who has a word in it.
 * @throws {OAuthError} as `registerClient`.
 */
export async function readRegistration (
  { said: input, allow }: Pick<RegistrationRequest, 'said' | 'allow'>, rules: RegistrationRules, now: number
): Promise<ReadRegistration> {
  const { readStatement = ignoreStatement, leniencies: { eitherSecretMethod, loopbackWebClient } } = rules
  const { said, statement, statementIssuer } = await readStatement(input, now)
  const metadata = readClientMetadata(said, { ...rules, strict: !loopbackWebClient })
  const authenticationMethods = eitherSecretMethod && !isNamed(said, metadata)
    ? EITHER
    : [metadata.token_endpoint_auth_method]
  const leniencies: readonly LeniencyName[] = [
    ...(authenticationMethods === EITHER ? ['eitherSecretMethod'] as const : []),
    ...(isOfItsType(metadata) ? [] : ['loopbackWebClient'] as const)
  ]
  const read = { metadata, authenticationMethods, statement, statementIssuer, leniencies }
  if (allow === undefined || await allow(read) === true) return read
  throw new OAuthError({
    code: 'access_denied', description: 'this client may not register here', reason: 'registration not allowed', status: 403
  })
}

/** JSON text of what a client is told. Absent members are absent (AS-R4). */
export function informationText ({ client, statement, secret, management }: ClientInformation): string {
  const { clientId, issuedAt, metadata } = client
  return JSON.stringify({
    client_id: clientId,
    client_id_issued_at: issuedAt,
    ...(secret === null ? {} : { client_secret: secret, client_secret_expires_at: 0 }),
    ...(management === null
      ? {}
      : { registration_access_token: management.accessToken, registration_client_uri: `${management.url}/${clientId}` }),
    ...(statement === null ? {} : { software_statement: statement }),
    ...metadata
  })
}

const ignoreStatement: ReadStatement = async (said) => ({ said, statement: null, statementIssuer: null })

/** Whether a client said how it authenticates: then it is held to that (section 2, rule 6). */
function isNamed (input: unknown, metadata: ClientMetadata): boolean {
  const named: unknown = Object.getOwnPropertyDescriptor(input, 'token_endpoint_auth_method')?.value
  return named === metadata.token_endpoint_auth_method
}

/** Whether a client is one of the web, or says that it is none. */
function isOfItsType ({ application_type: type, redirect_uris: uris }: ClientMetadata): boolean {
  return type === 'native' || uris.every(isWebRedirect)
}
