import { secretsEqual, sha256 } from '../crypto/digest.js'
import { readClientCredentials } from '../protocol/client-credentials.js'
import type { Form } from '../protocol/form.js'
import { OAuthError } from '../protocol/oauth-error.js'
import type { Client } from '../../types/oauth.js'
import type { Clients } from './clients.js'

/**
 * Finds the client of a request to the token or revocation endpoint and makes it prove who it is (AS-T3, AS-T4):
 * by exactly a method that it registered, the secret compared by digest in constant time. A client that is gone is
 * refused like one that never was, so that SDKs register again (requirements 4.3).
 *
 * @throws {OAuthError} `invalid_client` (401), one description for every reason; `invalid_request` for two methods.
 */
export async function authenticateClient (input: {
  authorization: string | undefined, form: Form, clients: Clients, now: number
}): Promise<Client> {
  const { authorization, form, clients, now } = input
  const { clientId, secret, method } = readClientCredentials({ authorization, form })
  if (clientId === undefined) throw refusal('no client_id')

  const client = await clients.find(clientId, now)
  if (client === null) throw refusal('unknown client')
  if (!client.authenticationMethods.includes(method)) throw refusal('wrong authentication method')
  if (client.secretDigest !== null && !secretsEqual(sha256(secret ?? ''), client.secretDigest)) {
    throw refusal('wrong secret')
  }
  return client
}

function refusal (reason: string): OAuthError {
  return new OAuthError({ code: 'invalid_client', description: 'client authentication failed', reason })
}
