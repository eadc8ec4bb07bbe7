import { sha256 } from '../crypto/digest.js'
import { StoreUnavailableError } from '../stores/errors.js'
import type { IntrospectionVerifierOptions } from '../../types/foreign-tokens.js'
import type { Principal, TokenVerifier } from '../../types/principal.js'
import { isClaims } from './claims.js'
import { InvalidTokenError } from './errors.js'
import { fetchJson } from './fetch-json.js'
import { assertAddress, assertForeignOptions, foreignSchemas } from './foreign-options.js'
import { assertAccessToken, foreignTokenRules, readForeignPrincipal } from './foreign-principal.js'
import { introspectionRequest } from './introspection-request.js'
import { createRememberedTokens } from './remembered-tokens.js'

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
 * tokens are. A server that does not answer, or not properly, is 503, never a pass and never 401. Tokens that are bound
 * to a key (`cnf`) are refused.
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
  const remembered = createRememberedTokens<Principal>({ max, recheck })
  const asking = new Map<string, Promise<Principal>>()

  async function ask (token: string, now: number): Promise<Principal> {
    const answer = await fetchJson(source, requestFor(token))
    if (!isClaims(answer) || typeof answer.active !== 'boolean') {
      throw new StoreUnavailableError('the introspection endpoint does not answer as RFC 7662 says')
    }
    if (!answer.active) throw new InvalidTokenError('not active')
    assertAccessToken(answer)
    return readForeignPrincipal(answer, rules, { needed: NEEDED, now })
  }

  return {
    recall: (token, now) => remembered.recall(sha256(token), now),

    async verify (token, now) {
      const digest = sha256(token)
      const asked = asking.get(digest)
      if (asked !== undefined) return await asked
      if (asking.size >= maxConcurrent) throw new StoreUnavailableError('too many tokens are being introspected')
      const question = ask(token, now).finally(() => { asking.delete(digest) })
      asking.set(digest, question)
      const principal = await question
      remembered.begin()(digest, principal, now)
      return principal
    }
  }
}
export default introspectionVerifier
export type { ClaimPath, ForeignClaims, IntrospectionVerifierOptions } from '../../types/foreign-tokens.js'
export type { Principal, TokenVerifier } from '../../types/principal.js'
