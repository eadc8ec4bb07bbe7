import { secretsEqual, sha256 } from '../crypto/digest.js'
import { readClientCredentials } from '../protocol/client-credentials.js'
import { OAuthError } from '../protocol/oauth-error.js'
import type { Client } from '../../types/oauth.js'
import type { ClientRequest } from './client-request.js'
import type { Clients } from './clients.js'

/** What it takes to know clients. */
export interface ClientAuthenticationContext {
  readonly clients: Clients
}

/**
 * Finds the client of a request to an endpoint for clients and makes it prove who it is (AS-T3, AS-T4): by exactly a
 * method that it registered, the secret compared by digest in constant time. A client that is gone is refused like one
 * that never was, so that SDKs register again (requirements 4.3).
 *
 * @throws {OAuthError} `invalid_client` (401), one description for every reason; `invalid_request` for two methods.
 */
export async function authenticateClient (
  request: ClientRequest, { clients }: ClientAuthenticationContext, now: number
): Promise<Client> {
  const { clientId, secret, method } = readClientCredentials(request)
  if (clientId === undefined) throw refusal('no client_id')

  const client = await clients.find(clientId, now)
  if (client === null) throw refusal('unknown client')
  if (!client.authenticationMethods.includes(method)) throw refusal('wrong authentication method')
  if (method !== 'none' && !isSecretOf(client, secret ?? '')) throw refusal('wrong secret')
  return client
}

/** Compares with each that is good, whichever it is. */
function isSecretOf ({ secretDigests }: Client, secret: string): boolean {
  const digest = sha256(secret)
  return secretDigests.map((one) => secretsEqual(digest, one)).includes(true)
}

function refusal (reason: string): OAuthError {
  return new OAuthError({ code: 'invalid_client', description: 'client authentication failed', reason })
}
