import { InvalidOptionError } from '../errors.js'
import type { AssertionIssuer } from '../../types/grant-options.js'
import { claimAt, textClaim, timeClaim, type Claims } from './claims.js'
import { InvalidTokenError } from './errors.js'
import { fetchJson } from './fetch-json.js'
import { claimedIssuer, NO_TYPE, readForeignJws, verifyForeignJws } from './foreign-jws.js'
import { assertAddress, assertForeignIssuer, DEFAULT_ALGORITHMS } from './foreign-options.js'
import { createKeySource, KEY_TIMES, type KeySource } from './key-source.js'

/** What an issuer that we were told of has signed for us. */
export interface Assertion {
  readonly issuer: AssertionIssuer
  readonly claims: Claims
}

export interface AssertionVerifier {
  /**
   * @throws {InvalidTokenError} with the precise reason.
   * @throws {VerifierUnavailableError} when its keys cannot be had.
   */
  verify (assertion: string, now: number): Promise<Assertion>
}

type Profile = AssertionIssuer['profile']

/**
 * What the header says decides which rules an assertion is held to, and those of no other kind are tried afterwards
 * (EX-31): an ID-JAG that fails is no workload's token.
 */
const PROFILES: ReadonlyMap<string, Profile> = new Map([
  ['oauth-id-jag+jwt', 'id-jag'],
  ['jwt', 'workload'],
  [NO_TYPE, 'workload']
])

/** Seconds from now that an assertion may live at most: it is no long-lived secret. */
const MAX_LIFE: Readonly<Record<Profile, number>> = { 'id-jag': 3600, workload: 86_400 }

/** Seconds that the clock of an issuer may be ahead. Never applied to `exp`. */
const CLOCK_SKEW = 60

// RFC 7523 §3 asks for iss, sub, aud and exp; the ID-JAG draft for the others as well.
const NEEDED: Readonly<Record<Profile, readonly string[]>> = {
  'id-jag': ['sub', 'exp', 'iat', 'jti', 'client_id', 'resource'],
  workload: ['sub', 'exp', 'iat']
}

/**
 * Verifies assertions (RFC 7523 §3) of the issuers of the configuration, by the keys that these publish: type, issuer,
 * algorithm, signature, an audience that is us and nobody else, times, and that everything is there that the profile
 * asks for. Does *not* remember which ones it has seen: clients may bring one again until it ends (EX-12).
 *
 * @throws {InvalidOptionError} whose message starts with the path of what is wrong: `assertionIssuers.0.issuer`.
 */
export function createAssertionVerifier (
  { issuers, audience }: { readonly issuers: readonly AssertionIssuer[], readonly audience: string }
): AssertionVerifier {
  const known = new Map<string, { issuer: AssertionIssuer, keys: KeySource }>()
  const rules = { algorithms: [...new Set(issuers.flatMap(algorithmsOf))], types: [...PROFILES.keys()] }
  for (const [index, issuer] of issuers.entries()) {
    const path = `assertionIssuers.${index}`
    assertForeignIssuer(issuer.issuer, `${path}.issuer`)
    assertAddress(issuer.jwksUri, `${path}.jwksUri`)
    // Nobody vouches for users of ours to us (EX-13).
    if (issuer.issuer === audience) throw new InvalidOptionError(`${path}.issuer must not be this server`)
    const key = nameOf(issuer.profile, issuer.issuer)
    if (known.has(key)) throw new InvalidOptionError(`${path}.issuer is there twice with the same profile`)
    known.set(key, { issuer, keys: keysOf(issuer) })
  }

  return {
    async verify (assertion, now) {
      const jws = readForeignJws(assertion, rules)
      const profile = PROFILES.get(jws.type)
      const found = known.get(nameOf(profile, claimedIssuer(assertion)))
      if (found === undefined) throw new InvalidTokenError('unknown issuer')
      const { issuer, keys } = found
      if (!algorithmsOf(issuer).includes(jws.algorithm)) throw new InvalidTokenError('wrong algorithm')
      const claims = verifyForeignJws(jws, await keys.find(jws, now))
      assertClaims(claims, { issuer, audience, now })
      return { issuer, claims }
    }
  }
}

const algorithmsOf = ({ algorithms = DEFAULT_ALGORITHMS }: AssertionIssuer) => algorithms

const nameOf = (profile: Profile | undefined, issuer: string | null | undefined): string =>
  JSON.stringify([profile, issuer])

function keysOf ({ jwksUri: url, timeoutMs = 5000, fetch: how = fetch }: AssertionIssuer): KeySource {
  const source = { url, what: 'the key set', fetch: how, timeoutMs }
  return createKeySource({ load: () => fetchJson(source, { method: 'GET' }), ...KEY_TIMES })
}

function assertClaims (
  claims: Claims, { issuer, audience, now }: { issuer: AssertionIssuer, audience: string, now: number }
): void {
  const missing = NEEDED[issuer.profile].find((name) => !Object.hasOwn(claims, name))
  if (missing !== undefined) throw new InvalidTokenError(`no ${missing}`)
  assertSoleAudience(claims, audience)
  textClaim(claims, 'sub')
  textClaim(claims, 'jti')
  const at = (name: string): number => timeClaim(claims, name) ?? -Infinity
  if (now >= at('exp')) throw new InvalidTokenError('expired')
  if (at('exp') > now + MAX_LIFE[issuer.profile]) throw new InvalidTokenError('good for too long')
  if (at('iat') > now + CLOCK_SKEW) throw new InvalidTokenError('issued in the future')
  if (at('nbf') > now + CLOCK_SKEW) throw new InvalidTokenError('not good yet')
}

/** Who is one of several can be given it by another one of them (EX-11). */
function assertSoleAudience (claims: Claims, audience: string): void {
  const said = claimAt(claims, 'aud')
  const isSole = said === audience || (Array.isArray(said) && said.length === 1 && said[0] === audience)
  if (!isSole) throw new InvalidTokenError('wrong audience')
}
