import { OAuthError } from '../protocol/oauth-error.js'
import { isClaims, listClaim, textClaim, timeClaim, type Claims } from '../tokens/claims.js'
import { InvalidTokenError } from '../tokens/errors.js'
import { fetchJson } from '../tokens/fetch-json.js'
import { claimedIssuer, NO_TYPE, readForeignJws, verifyForeignJws } from '../tokens/foreign-jws.js'
import { DEFAULT_ALGORITHMS } from '../tokens/foreign-options.js'
import { createKeySource, KEY_TIMES } from '../tokens/key-source.js'
import type { RegistrationOptions } from '../../types/registration-options.js'

/** What a client says of itself, and what somebody else says of it. */
export interface Stated {
  readonly said: unknown
  /** As it came; `null` without one. */
  readonly statement: string | null
  readonly statementIssuer: string | null
}

export type ReadStatement = (said: unknown, now: number) => Promise<Stated>

const MAX_LENGTH = 16_384
/** Seconds by which clocks may differ. */
const SKEW = 60
const TIMEOUT_MS = 5000
// RFC 7591 §2.3 names no type; a token for access or a proof has one of its own, and is refused.
const TYPES = [NO_TYPE, 'jwt', 'software-statement+jwt']
/** What a JWT says of itself, not of the software. */
const OWN_CLAIMS = new Set(['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'])

/**
 * Reads the software statement of a registration (RFC 7591 §2.3): a JWT by one of these issuers, signed with a key that
 * it publishes, in force, about a software by its `software_id`, and, where it has an audience, for this server. What
 * it says goes before what the client says. It is about the software, not about who registers: a copy is as good.
 *
 * @throws {OAuthError} (from what is returned) `invalid_software_statement`, `unapproved_software_statement`;
 * `invalid_client_metadata` without one where it is required.
 * @throws {VerifierUnavailableError} (from what is returned) while the issuer's keys cannot be had.
 */
export function createStatementReader (
  { issuers, required = false }: NonNullable<RegistrationOptions['softwareStatements']>, issuer: string
): ReadStatement {
  const sources = new Map(issuers.map(({ issuer: of, jwksUri: url }) => {
    const source = { url, what: 'the keys of a software statement issuer', fetch, timeoutMs: TIMEOUT_MS }
    return [of, createKeySource({ load: () => fetchJson(source, { method: 'GET' }), ...KEY_TIMES })]
  }))

  async function verify (statement: string, statementIssuer: string, now: number): Promise<Claims> {
    const keys = sources.get(statementIssuer)
    if (keys === undefined) throw unapproved()
    const jws = readForeignJws(statement, { algorithms: DEFAULT_ALGORITHMS, types: TYPES })
    const claims = verifyForeignJws(jws, await keys.find(jws, now))
    assertInForce(claims, now)
    const audience = listClaim(claims, 'aud')
    if (audience.length > 0 && !audience.includes(issuer)) throw new InvalidTokenError('statement for another server')
    if (textClaim(claims, 'software_id') === null) throw new InvalidTokenError('statement about no software')
    return claims
  }

  return async (said, now) => {
    const statement = isClaims(said) && Object.hasOwn(said, 'software_statement') ? said.software_statement : undefined
    if (!isClaims(said) || statement === undefined) {
      if (required) throw new OAuthError({ code: 'invalid_client_metadata', description: 'a software statement is needed' })
      return { said, statement: null, statementIssuer: null }
    }
    if (typeof statement !== 'string' || statement.length > MAX_LENGTH) throw invalid('no statement')
    const statementIssuer = claimedIssuer(statement) ?? null
    if (statementIssuer === null) throw invalid('statement without an issuer')
    const claims = await verify(statement, statementIssuer, now).catch((error: unknown) => {
      throw error instanceof InvalidTokenError ? invalid(error.reason, error) : error
    })
    const about = Object.fromEntries(Object.entries(claims).filter(([name]) => !OWN_CLAIMS.has(name)))
    return { said: { ...said, ...about }, statement, statementIssuer }
  }
}

function assertInForce (claims: Claims, now: number): void {
  const expiresAt = timeClaim(claims, 'exp')
  if (expiresAt !== null && now >= expiresAt + SKEW) throw new InvalidTokenError('statement expired')
  for (const name of ['nbf', 'iat']) {
    if ((timeClaim(claims, name) ?? 0) > now + SKEW) throw new InvalidTokenError('statement not in force yet')
  }
}

function invalid (reason: string, cause?: unknown): OAuthError {
  return new OAuthError({
    code: 'invalid_software_statement', description: 'the software statement is not valid', reason, cause
  })
}

function unapproved (): OAuthError {
  return new OAuthError({
    code: 'unapproved_software_statement', description: 'software statements of this issuer mean nothing here'
  })
}
