import { secretsEqual, sha256 } from '../crypto/digest.js'
import { readClientCredentials } from '../protocol/client-credentials.js'
import { OAuthError } from '../protocol/oauth-error.js'
import { InvalidTokenError } from '../tokens/errors.js'
import type { Client, ClientAuthenticationMethod } from '../../types/oauth.js'
import {
  assertClientAssertion, readClientAssertion, type AssertionRules, type ClientAssertion
} from './client-assertion.js'
import { assertClientCertificate } from './client-certificates.js'
import type { ClientRequest } from './client-request.js'
import type { Clients } from './clients.js'

/** What it takes to know clients. */
export interface ClientAuthenticationContext {
  readonly clients: Clients
  readonly assertions: AssertionRules
}

/**
 * Finds the client of a request to an endpoint for clients and makes it prove who it is (AS-T3, AS-T4): by exactly a
 * method that it registered, a secret compared by digest in constant time, an assertion by its keys, a certificate by
 * what it registered of it. A client that is gone is refused like one that never was, so that SDKs register again
 * (requirements 4.3).
 *
 * @throws {OAuthError} `invalid_client` (401), one description for every reason; `invalid_request` for two methods.
 * @throws {StoreUnavailableError} when that cannot be found out now: there is no store, or the client's keys cannot be
 * had.
 */
export async function authenticateClient (
  request: ClientRequest, { clients, assertions: rules }: ClientAuthenticationContext, now: number
): Promise<Client> {
  const { secret, method, ...sent } = readClientCredentials(request)
  const assertion = sent.assertion === undefined ? null : readAssertion(sent.assertion, sent.clientId)
  const clientId = assertion?.clientId ?? sent.clientId
  if (clientId === undefined) throw refusal('no client_id')

  const client = await clients.find(clientId, now)
  if (client === null) throw refusal('unknown client')
  if (method === 'none' && client.authenticationMethods.some(isOfCertificate)) {
    await assertClientCertificate(request.certificate, client, { keys: rules.keys, now }).catch(refuseBy('certificate'))
    return client
  }
  if (!client.authenticationMethods.includes(method)) throw refusal('wrong authentication method')
  if (assertion !== null) {
    const leniencies = await assertClientAssertion(assertion, client, { rules, now }).catch(refuseBy('assertion'))
    for (const operation of leniencies) request.report?.({ type: 'leniency.used', operation, clientId })
  } else if (method !== 'none' && !isSecretOf(client, secret ?? '')) {
    throw refusal('wrong secret')
  }
  return client
}

/** Nothing of these is in what a client sends, but for its id (RFC 8705 §2). */
function isOfCertificate (method: ClientAuthenticationMethod): boolean {
  return method === 'tls_client_auth' || method === 'self_signed_tls_client_auth'
}

/** `client_id` may be left out, but not be another one (RFC 7521 §4.2). */
function readAssertion (text: string, clientId: string | undefined): ClientAssertion {
  try {
    const assertion = readClientAssertion(text)
    if (clientId === undefined || clientId === assertion.clientId) return assertion
  } catch (error) {
    refuseBy('assertion')(error)
  }
  throw refusal('client assertion: of another client')
}

function refuseBy (what: 'assertion' | 'certificate'): (error: unknown) => never {
  return (error) => {
    throw error instanceof InvalidTokenError ? refusal(`client ${what}: ${error.reason}`, error) : error
  }
}

/** Compares with each that is good, whichever it is. */
function isSecretOf ({ secretDigests }: Client, secret: string): boolean {
  const digest = sha256(secret)
  return secretDigests.map((one) => secretsEqual(digest, one)).includes(true)
}

function refusal (reason: string, cause?: unknown): OAuthError {
  return new OAuthError({ code: 'invalid_client', description: 'client authentication failed', reason, cause })
}
