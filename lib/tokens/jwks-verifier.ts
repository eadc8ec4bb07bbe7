import type { JwksVerifierOptions } from '../../types/foreign-tokens.js'
import type { Principal, TokenVerifier } from '../../types/principal.js'
import { ACCESS_TOKEN_TYPE } from './access-token.js'
import { fetchJson } from './fetch-json.js'
import { mediaType, NO_TYPE, readForeignJws, verifyForeignJws } from './foreign-jws.js'
import { assertAddress, assertForeignOptions, DEFAULT_ALGORITHMS, foreignSchemas } from './foreign-options.js'
import { assertAccessToken, foreignTokenRules, readForeignPrincipal } from './foreign-principal.js'
import { createKeySource, KEY_TIMES } from './key-source.js'
import { createRememberedTokens } from './remembered-tokens.js'

const AT = 'jwksVerifier'

// RFC 9068 §2.2; the client stands where `claims.clientId` says.
const NEEDED_OF_ACCESS_TOKENS = ['iss', 'exp', 'aud', 'sub', 'iat', 'jti']
const NEEDED_OF_OTHERS = ['iss', 'exp', 'aud', 'sub', 'iat']

/**
 * Verifies JWT access tokens of somebody else's authorization server by the keys that it publishes (RFC 9068 §4; RS-14,
 * RS-15, RS-17 to RS-19), for `scopeGuard`'s option `verifier`.
 *
 * ```ts
 * const verifier = jwksVerifier({
 *   issuer: 'https://login.example.com/realms/staff',
 *   jwksUri: 'https://login.example.com/realms/staff/protocol/openid-connect/certs',
 *   resource: 'https://mcp.example.com/mcp',
 *   types: ['JWT'], claims: { clientId: 'azp', roles: ['realm_access', 'roles'] } // as Keycloak writes them
 * })
 * ```
 *
 * Keys are fetched when first needed and come from `jwksUri` only, whatever a token's header names. A new key is found
 * at once; unknown names cost one fetch in `keysCooldown` seconds, however many there are. While the server cannot be
 * reached, known keys are used for `keysMaxAge` and `keysMaxStale` seconds together; then tokens are answered 503.
 *
 * A good token is remembered by its exact text for `recheck` seconds, never past its `exp`. What the server revokes
 * stays good until `exp`, since nobody tells us: ask by `introspectionVerifier` where that is too long. What a
 * token is bound to (`cnf`) is on the principal, and the proof is `scopeGuard`'s to ask for.
 *
 * @throws {InvalidOptionError} `MCPS_ERR_INVALID_OPTION`; the message starts with `jwksVerifier` and the option's path.
 */
export function jwksVerifier (options: JwksVerifierOptions): TokenVerifier {
  assertForeignOptions(options, { schema: foreignSchemas.jwksVerifier, at: AT })
  const { jwksUri, algorithms = DEFAULT_ALGORITHMS, timeoutMs = 5000 } = options
  const { recheck = 300, rememberedTokens: max = 10_000 } = options
  assertAddress(jwksUri, `${AT}.jwksUri`)
  const rules = foreignTokenRules(options, 'foreign-token')
  const { types = [ACCESS_TOKEN_TYPE], untyped = false } = options
  const accepted = { algorithms: [...algorithms], types: [...types.map(mediaType), ...(untyped ? [NO_TYPE] : [])] }
  const source = { url: jwksUri, what: 'the key set', fetch: options.fetch ?? fetch, timeoutMs }
  const keys = createKeySource({
    load: () => fetchJson(source, { method: 'GET' }),
    maxAge: options.keysMaxAge ?? KEY_TIMES.maxAge,
    maxStale: options.keysMaxStale ?? KEY_TIMES.maxStale,
    cooldown: options.keysCooldown ?? KEY_TIMES.cooldown
  })
  const remembered = createRememberedTokens<Principal>({ max, recheck })

  return {
    recall: remembered.recall,

    async verify (token, now) {
      const jws = readForeignJws(token, accepted)
      const claims = verifyForeignJws(jws, await keys.find(jws, now))
      const isTyped = jws.type === ACCESS_TOKEN_TYPE
      if (!isTyped) assertAccessToken(claims, { mustSay: jws.type === NO_TYPE })
      const needed = isTyped ? NEEDED_OF_ACCESS_TOKENS : NEEDED_OF_OTHERS
      const principal = readForeignPrincipal(claims, rules, { needed, now })
      remembered.begin()(token, principal, now)
      return principal
    }
  }
}
export default jwksVerifier
export type { ClaimPath, ForeignClaims, JwksVerifierOptions, SignatureAlgorithm } from '../../types/foreign-tokens.js'
export type { Principal, TokenVerifier } from '../../types/principal.js'
