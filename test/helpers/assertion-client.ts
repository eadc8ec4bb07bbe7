import { createSigningKey, type SigningKey } from '../../lib/crypto/signing-key.js'
import { randomId } from '../../lib/crypto/digest.js'
import type { SigningAlgorithm } from '../../types/crypto.js'
import { signAnything, type Members } from './foreign-server.js'

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** Of an assertion: `undefined` leaves one out. */
export interface AssertionChanges {
  readonly claims?: Members
  readonly header?: Members
  /** Signs instead of the client's own key. */
  readonly by?: SigningKey
}

/** A client that has a key, and signs assertions for one server. */
export interface AssertionClient {
  readonly key: SigningKey
  /** What it registers. */
  readonly jwks: { readonly keys: readonly Members[] }
  assertion (changes?: AssertionChanges): string
  /** What it sends beside what it asks for. */
  fields (changes?: AssertionChanges): { readonly client_assertion_type: string, readonly client_assertion: string }
}

const defined = (members: Members): Members =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))

export async function assertionClient (
  { clientId, audience, now, algorithm = 'ES256', kid = 'one' }:
  { clientId: string, audience: string, now: () => number, algorithm?: SigningAlgorithm, kid?: string }
): Promise<AssertionClient> {
  const key = await createSigningKey(algorithm)

  function assertion ({ claims = {}, header = {}, by = key }: AssertionChanges = {}): string {
    const times = { iat: now(), exp: now() + 300 }
    return signAnything(
      defined({ alg: algorithm, typ: 'JWT', kid, ...header }),
      defined({ iss: clientId, sub: clientId, aud: audience, jti: randomId(), ...times, ...claims }),
      by)
  }
  return {
    key,
    jwks: { keys: [{ ...key.publicKey.export({ format: 'jwk' }), kid }] },
    assertion,
    fields: (changes) => ({ client_assertion_type: ASSERTION_TYPE, client_assertion: assertion(changes) })
  }
}
