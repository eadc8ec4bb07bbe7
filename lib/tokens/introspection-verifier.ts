import { sha256 } from '../crypto/digest.js'
import type { IntrospectionVerifierOptions } from '../../types/foreign-tokens.js'
import type { Principal, TokenVerifier } from '../../types/principal.js'
import { isClaims } from './claims.js'
import { InvalidTokenError, SERVER_DOWN, VerifierUnavailableError } from './errors.js'
import { fetchJson, fetchText, type JsonRequest, type JsonSource } from './fetch-json.js'
import { assertAddress, assertForeignOptions, DEFAULT_ALGORITHMS, foreignSchemas } from './foreign-options.js'
import { assertAccessToken, foreignTokenRules, readForeignPrincipal } from './foreign-principal.js'
import { introspectionRequest } from './introspection-request.js'
import { createKeySource, KEY_TIMES } from './key-source.js'
import { createRememberedTokens } from './remembered-tokens.js'
import { readSignedAnswer, SIGNED_ANSWER } from './signed-introspection.js'
import { createSingleFlight } from './single-flight.js'

const AT = 'introspectionVerifier'

// The rest is optional in RFC 7662 §2.2; what is there is checked. Without an audience a token is for nobody (RS-14).
const NEEDED = ['aud']

/**
 * Verifies tokens of somebody else's authorization server, of whatever form, by asking it (RFC 7662; RS-14, RS-16 to
 * RS-20), for `scopeGuard`'s option `verifier`.
 *
 * ```ts
 * const verifier = introspectionVerifier({
 *   issuer: 'https://login.example.com',
 *   introspectionEndpoint: 'https://login.example.com/introspect',
 *   resource: 'https://mcp.example.com/mcp',
 *   clientId: 'mcp-server', clientSecret: process.env.INTROSPECTION_SECRET
 * })
 * ```
 *
 * Only `active: true` counts, and then issuer, audience, times and scopes are checked here as well. A good answer is
 * remembered under the token's digest for `recheck` seconds, never past its `exp`, so a revocation takes effect within
 * that time; a bad one is not remembered. The same token is asked for once at a time, and at most `maxConcurrent`
 * tokens are. With `signedAnswers` only answers count that the server signed (RFC 9701). A server that does not answer,
 * or not properly, is 503, never a pass and never 401. What a token is bound to (`cnf`) is on the principal, and the
 * proof is `scopeGuard`'s to ask for.
 *
 * @throws {InvalidOptionError} `MCPS_ERR_INVALID_OPTION`; the message starts with `introspectionVerifier` and the
 * option's path.
 */
export function introspectionVerifier (options: IntrospectionVerifierOptions): TokenVerifier {
  assertForeignOptions(options, { schema: foreignSchemas.introspectionVerifier, at: AT })
  const { introspectionEndpoint: url, timeoutMs = 5000, recheck = 10, rememberedTokens: max = 10_000 } = options
  const { maxConcurrent = 100 } = options
  assertAddress(url, `${AT}.introspectionEndpoint`)
  const rules = foreignTokenRules(options, 'introspected-token')
  const source = { url, what: 'an introspection answer', fetch: options.fetch ?? fetch, timeoutMs }
  const requestFor = introspectionRequest(options)
  const answerTo = askerOf(options, source)
  const remembered = createRememberedTokens<Principal>({ max, recheck })
  const flight = createSingleFlight<Principal>({ max: maxConcurrent, overload: 'too many introspections' })

  async function ask (token: string, now: number): Promise<Principal> {
    const answer = await answerTo(requestFor(token), now)
    if (!isClaims(answer) || typeof answer.active !== 'boolean') {
      throw new VerifierUnavailableError(SERVER_DOWN, 'the introspection endpoint does not answer as RFC 7662 says')
    }
    if (!answer.active) throw new InvalidTokenError('not active')
    assertAccessToken(answer)
    return readForeignPrincipal(answer, rules, { needed: NEEDED, now })
  }

  return {
    recall: (token, now) => remembered.recall(sha256(token), now),

    async verify (token, now) {
      const digest = sha256(token)
      const principal = await flight.run(digest, async () => await ask(token, now))
      remembered.begin()(digest, principal, now)
      return principal
    }
  }
}
export default introspectionVerifier

/** Asks the endpoint for an answer that is signed, or that is not: never for whichever it likes to give. */
function askerOf (
  { signedAnswers, issuer, clientId }: IntrospectionVerifierOptions, source: JsonSource
): (request: JsonRequest, now: number) => Promise<unknown> {
  if (signedAnswers === undefined) return async (request) => await fetchJson(source, request)
  const { jwksUri, algorithms = DEFAULT_ALGORITHMS } = signedAnswers
  assertAddress(jwksUri, `${AT}.signedAnswers.jwksUri`)
  const keySet = { ...source, url: jwksUri, what: 'the key set' }
  const keys = createKeySource({ load: () => fetchJson(keySet, { method: 'GET' }), ...KEY_TIMES })
  const rules = { keys, algorithms: [...algorithms], issuer, clientId }
  return async (request, now) => await readSignedAnswer(await fetchText(source, request, SIGNED_ANSWER), rules, now)
}
export type {
  ClaimPath, ForeignClaims, IntrospectionVerifierOptions, SignatureAlgorithm, SignedAnswersOptions
} from '../../types/foreign-tokens.js'
export type { Principal, TokenVerifier } from '../../types/principal.js'
