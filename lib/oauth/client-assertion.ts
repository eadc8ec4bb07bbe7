import { sha256 } from '../crypto/digest.js'
import { ASSERTION_ALGORITHMS } from '../protocol/client-key-members.js'
import { OAuthError } from '../protocol/oauth-error.js'
import { textClaim, timeClaim, type Claims } from '../tokens/claims.js'
import { InvalidTokenError } from '../tokens/errors.js'
import { NO_TYPE, readForeignJws, unverifiedClaims, verifyForeignJws, type ForeignJws } from '../tokens/foreign-jws.js'
import type { Client } from '../../types/oauth.js'
import type { Leniencies } from '../../types/options.js'
import type { RecordStore } from '../../types/stores.js'
import type { ClientKeys } from './client-keys.js'
import { isOperatorsClient } from './client-scopes.js'

export interface AssertionRules {
  readonly keys: ClientKeys
  readonly issuer: string
  /** What else stands for this server under `assertionAudience`. */
  readonly endpoints: readonly string[]
  readonly leniencies: Pick<Leniencies, AssertionLeniency>
  readonly isFirstUse: FirstAssertion
}

export type AssertionLeniency = 'assertionAudience' | 'assertionReuse'

/**
 * Whether an assertion is shown for the first time. Of any number that ask at once, one is told so. `null` when
 * strangers have shown so many that no more of theirs are remembered.
 */
export type FirstAssertion = (
  use: { readonly client: Client, readonly jti: string, readonly endsAt: number }, now: number
) => Promise<boolean | null>

/** An assertion that was taken apart. Nothing of it is believed yet. */
export interface ClientAssertion {
  readonly jws: ForeignJws
  readonly claims: Claims
  /** Whose it says that it is. */
  readonly clientId: string
}

// rfc7523bis names the last one; clients of RFC 7523 say `JWT` or nothing. No other kind of JWT passes.
const TYPES = [NO_TYPE, 'jwt', 'client-authentication+jwt']
/** Seconds from now to its expiry. */
const MAX_LIFETIME = 600
/** Seconds that the client's clock may be apart from ours. */
const CLOCK_SKEW = 30
/** Of clients that nobody assures, remembered within the time that one can live: no flood of them fills the store. */
const MAX_OF_STRANGERS = 100_000

/**
 * Takes the JWT apart with which a client shows who it is (RFC 7523 §2.2, RFC 7521 §4.2), and looks up nothing.
 * @throws {InvalidTokenError}
 */
export function readClientAssertion (text: string): ClientAssertion {
  const jws = readForeignJws(text, { algorithms: ASSERTION_ALGORITHMS, types: TYPES })
  const claims = unverifiedClaims(jws)
  if (claims === null) throw new InvalidTokenError('no claims')
  const clientId = textClaim(claims, 'sub')
  if (clientId === null) throw new InvalidTokenError('no sub')
  return { jws, claims, clientId }
}

/**
 * Checks that the client itself made the assertion, for us, for now (RFC 7523 §3, EX-3, PX-17): `iss` and `sub` are the
 * client, the one `aud` is this server, `exp` is there and at most ten minutes away, and a key that the client
 * registered signed it. What the header says about keys is a name among those and nothing more. Refuses what is wrong
 * before it fetches a key. Answers the leniencies that it needed.
 *
 * @throws {InvalidTokenError}
 * @throws {OAuthError} `too_many_requests` when it has to be remembered and there is no room.
 * @throws {StoreUnavailableError} when the client's keys cannot be had now, or there is no store.
 */
export async function assertClientAssertion (
  { jws, claims }: ClientAssertion, client: Client, { rules, now }: { rules: AssertionRules, now: number }
): Promise<readonly AssertionLeniency[]> {
  const { clientId, metadata: { token_endpoint_auth_signing_alg: registered = jws.algorithm } } = client
  if (registered !== jws.algorithm) throw new InvalidTokenError('not the registered algorithm')
  if (textClaim(claims, 'iss') !== clientId) throw new InvalidTokenError('wrong issuer')
  if (textClaim(claims, 'sub') !== clientId) throw new InvalidTokenError('of another client')
  const byAudience = assertAudience(claims, rules)
  const endsAt = assertTimes(claims, now)
  verifyForeignJws(jws, await rules.keys.find(client, jws, now))
  const jti = textClaim(claims, 'jti')
  const isNew = jti !== null && await rules.isFirstUse({ client, jti, endsAt }, now)
  if (isNew === true) return byAudience
  if (rules.leniencies.assertionReuse) return isNew === null ? byAudience : [...byAudience, 'assertionReuse']
  if (isNew === null) {
    throw new OAuthError({
      code: 'too_many_requests', description: 'too many assertions were shown, try again later', reason: 'client assertion quota'
    })
  }
  throw new InvalidTokenError(jti === null ? 'no jti' : 'used before')
}

/** Answers the leniency that it took. */
function assertAudience (
  { aud }: Claims, { issuer, endpoints, leniencies }: AssertionRules
): readonly AssertionLeniency[] {
  const [audience, ...others]: unknown[] = Array.isArray(aud) ? aud : [aud]
  // rfc7523bis: with a second one, another server could show it here as its own.
  if (others.length > 0) throw new InvalidTokenError('several audiences')
  if (audience === issuer) return []
  const isAlias = [`${issuer}/`, ...endpoints].some((one) => one === audience)
  if (isAlias && leniencies.assertionAudience) return ['assertionAudience']
  throw new InvalidTokenError('wrong audience')
}

/** Answers the second at which it is dead. */
function assertTimes (claims: Claims, now: number): number {
  const expiry = timeClaim(claims, 'exp')
  if (expiry === null) throw new InvalidTokenError('no exp')
  const endsAt = expiry + CLOCK_SKEW
  if (endsAt <= now) throw new InvalidTokenError('expired')
  if (expiry > now + MAX_LIFETIME + CLOCK_SKEW) throw new InvalidTokenError('good for too long')
  for (const name of ['nbf', 'iat']) {
    if ((timeClaim(claims, name) ?? now) > now + CLOCK_SKEW) throw new InvalidTokenError('not good yet')
  }
  return endsAt
}

/** The rules of one authorization server: `endpoints` are the URLs that clients may take for its name. */
export function assertionRules (input: {
  readonly issuer: string
  readonly endpoints: readonly string[]
  readonly leniencies: Pick<Leniencies, AssertionLeniency>
  readonly keys: ClientKeys
  readonly records: RecordStore
  readonly tenant: string
}): AssertionRules {
  const { issuer, endpoints, leniencies, keys } = input
  return { keys, issuer, endpoints, leniencies, isFirstUse: firstAssertions(input) }
}

/** First use within all processes that share the store. */
function firstAssertions ({ records, tenant }: { records: RecordStore, tenant: string }): FirstAssertion {
  const strangers = { tenant, kind: 'client-assertion-quota', id: 'strangers' }
  const window = MAX_LIFETIME + 2 * CLOCK_SKEW

  return async ({ client, jti, endsAt: expiresAt }, now) => {
    if (!isOperatorsClient(client)) {
      const { count } = await records.increment(strangers, { by: 1, window }, now)
      if (count > MAX_OF_STRANGERS) return null
    }
    const id = sha256(`${sha256(client.clientId)}.${jti}`)
    return await records.add({ tenant, kind: 'client-assertion', id, expiresAt, index: {}, body: '' }, now)
  }
}
