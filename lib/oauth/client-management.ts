import { randomId, secretsEqual, sha256 } from '../crypto/digest.js'
import type { BearerCredentials } from '../protocol/bearer.js'
import { OAuthError } from '../protocol/oauth-error.js'
import type { AuditInput } from '../../types/audit.js'
import type { RecordStore } from '../../types/stores.js'
import { clientOf, createClientRecords, type KeptClient } from './client-records.js'
import { hasSameRedirects } from './client-redirects.js'
import type { Grants } from './grants.js'
import {
  informationText, readRegistration, type ClientInformation, type RegistrationRequest, type RegistrationRules
} from './registration.js'

/** Who asks, about which client. */
export interface ManagementRequest {
  readonly clientId: string
  readonly credentials: BearerCredentials
}

export interface Replaced {
  /** JSON text. Send it with `no-store`. */
  readonly body: string
  readonly events: readonly AuditInput[]
}

/** How clients manage what they registered (RFC 7592, AS-R7), by the token that they got then and nothing else. */
export interface ClientManagement {
  /**
   * JSON text, to be sent with `no-store`.
   * @throws {OAuthError} `invalid_token`, the same for a client that is unknown, switched off, or not managed.
   */
  read (request: ManagementRequest, now: number): Promise<string>
  /**
   * Replaces all of the metadata. Other redirect URIs end what was not exchanged yet. A secret is told only when the
   * client comes to need one.
   * @throws {OAuthError} `invalid_token`; `invalid_client_metadata` for another `client_id` or `client_secret`, or what
   * only we may say; and as `registerClient`.
   */
  replace (request: ManagementRequest & Required<Pick<RegistrationRequest, 'said' | 'allow'>>, now: number):
  Promise<Replaced>
  /** Ends the client with its grants. @throws {OAuthError} `invalid_token` */
  remove (request: ManagementRequest, now: number): Promise<AuditInput>
}

/** What a client is told, and must not say (RFC 7592 §2.2). */
const OURS = [
  'registration_access_token', 'registration_client_uri', 'client_secret_expires_at', 'client_id_issued_at'
]

/** Built once, at boot. */
export function createClientManagement (input: {
  readonly records: RecordStore
  readonly tenant: string
  readonly grants: Pick<Grants, 'revokeClient' | 'revokePending'>
  readonly rules: RegistrationRules
  /** Where clients manage their registrations, without the id. */
  readonly url: string
}): ClientManagement {
  const { grants, rules, url } = input
  const clientRecords = createClientRecords(input)

  async function findOwn (
    { clientId, credentials }: ManagementRequest, now: number
  ): Promise<{ readonly client: KeptClient, readonly accessToken: string }> {
    if (credentials.type !== 'token' || credentials.scheme !== 'bearer') throw refusal('no registration access token')
    const { token } = credentials
    const client = (await clientRecords.read(clientId, now))?.client
    if (client === undefined || !isManager(client, token)) throw refusal('wrong registration access token')
    return { client, accessToken: token }
  }

  function told ({ client, accessToken, ...rest }: Pick<ClientInformation, 'statement' | 'secret'> & {
    readonly client: KeptClient
    readonly accessToken: string
  }, now: number): string {
    return informationText({ client: clientOf(client, now), management: { accessToken, url }, ...rest })
  }

  return {
    async read (request, now) {
      const { client, accessToken } = await findOwn(request, now)
      return told({ client, accessToken, statement: null, secret: null }, now)
    },

    async replace ({ said, allow, ...request }, now) {
      const { clientId } = request
      const { client: before, accessToken } = await findOwn(request, now)
      assertOwnWords(said, clientOf(before, now).secretDigests, clientId)
      const read = await readRegistration({ said, allow }, rules, now)
      const { metadata, authenticationMethods, statement, leniencies } = read
      const needsSecret = metadata.token_endpoint_auth_method.startsWith('client_secret_')
      const secret = needsSecret && before.secretDigests.length === 0 ? randomId(32) : null
      const next = await clientRecords.change(clientId, ({ client, expiresAt }) => {
        if (!isManager(client, accessToken)) return null
        const kept = needsSecret ? client.secretDigests : []
        const secretDigests = secret === null ? kept : [sha256(secret)]
        return { client: { ...client, metadata, authenticationMethods, secretDigests }, expiresAt }
      }, now)
      if (next === null) throw refusal('the client ended meanwhile')
      if (!hasSameRedirects(before, next.client)) await grants.revokePending(clientId, now)
      return {
        body: told({ client: next.client, accessToken, statement, secret }, now),
        events: [
          ...leniencies.map((operation) => ({ type: 'leniency.used' as const, operation, clientId })),
          { type: 'client.changed', reason: 'changed by the client', clientId }
        ]
      }
    },

    async remove (request, now) {
      const { clientId } = request
      await findOwn(request, now)
      await clientRecords.remove(clientId, now)
      await grants.revokeClient(clientId, now)
      return { type: 'client.removed', reason: 'removed by the client', clientId }
    }
  }
}

function isManager (client: KeptClient, token: string): boolean {
  return client.disabled !== true && secretsEqual(sha256(token), client.accessTokenDigest ?? '')
}

function assertOwnWords (said: unknown, secretDigests: readonly string[], clientId: string): void {
  const members = new Map<string, unknown>(Object.entries(Object(said)))
  if (members.get('client_id') !== clientId) throw wrong('client_id must be that of the client')
  if (OURS.some((name) => members.has(name))) throw wrong(`${OURS.join(', ')} cannot be changed`)
  const secret = members.get('client_secret')
  if (secret === undefined) return
  const digest = typeof secret === 'string' ? sha256(secret) : ''
  if (!secretDigests.map((one) => secretsEqual(digest, one)).includes(true)) throw wrong('client_secret is not the one')
}

function wrong (description: string): OAuthError {
  return new OAuthError({ code: 'invalid_client_metadata', description })
}

function refusal (reason: string): OAuthError {
  return new OAuthError({ code: 'invalid_token', description: 'the token is not good for this client', reason })
}
