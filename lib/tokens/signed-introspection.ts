import type { SignatureAlgorithm } from '../../types/foreign-tokens.js'
import { claimAt, isClaims, isMeantFor, textClaim, timeClaim, type Claims } from './claims.js'
import { InvalidTokenError, VerifierUnavailableError } from './errors.js'
import { readForeignJws, verifyForeignJws } from './foreign-jws.js'
import type { KeySource } from './key-source.js'

/** RFC 9701 §5: keeps every other kind of JWT from passing as an answer. */
export const ANSWER_TYPE = 'token-introspection+jwt'

/** What to ask for, and what has to come back. */
export const SIGNED_ANSWER = `application/${ANSWER_TYPE}`

/** Seconds that the clock of the other server may be apart from ours: an answer is made when it is asked for. */
const CLOCK_SKEW = 60

export interface SignedAnswerRules {
  readonly keys: KeySource
  readonly algorithms: readonly SignatureAlgorithm[]
  /** Of the authorization server. */
  readonly issuer: string
  /** Who we are there: the answer has to be for us. */
  readonly clientId: string
}

/**
 * Reads an introspection answer that the authorization server signed (RFC 9701 §5, RS-16): type, algorithm, signature
 * by a key that it publishes, issuer, audience, and made no longer ago than a minute. Answers what it says about the
 * token, of which nothing is checked yet.
 *
 * @throws {VerifierUnavailableError} for everything else: such an answer says nothing about the token, so it is neither
 * good nor bad.
 */
export async function readSignedAnswer (text: string, rules: SignedAnswerRules, now: number): Promise<unknown> {
  try {
    const jws = readForeignJws(text, { algorithms: rules.algorithms, types: [ANSWER_TYPE] })
    const claims = verifyForeignJws(jws, await rules.keys.find(jws, now))
    assertAnswer(claims, rules, now)
    return claimAt(claims, 'token_introspection')
  } catch (cause) {
    if (!(cause instanceof InvalidTokenError)) throw cause
    throw new VerifierUnavailableError('introspection answer not properly signed', 'the introspection endpoint does not answer as RFC 9701 says', { cause })
  }
}

function assertAnswer (claims: Claims, { issuer, clientId }: SignedAnswerRules, now: number): void {
  if (textClaim(claims, 'iss') !== issuer) throw new InvalidTokenError('wrong issuer')
  if (!isMeantFor(claims, { resource: clientId, audience: clientId })) throw new InvalidTokenError('wrong audience')
  const issuedAt = timeClaim(claims, 'iat')
  if (issuedAt === null || Math.abs(now - issuedAt) > CLOCK_SKEW) throw new InvalidTokenError('not made now')
  if (!isClaims(claims.token_introspection)) throw new InvalidTokenError('no token_introspection')
}
