import { Type } from '@sinclair/typebox'
import { InvalidOptionError } from '../errors.js'
import { assertOptions } from '../options.js'
import type { TokenVerifier } from '../../types/principal.js'
import { InvalidTokenError } from './errors.js'
import { claimedIssuer } from './foreign-jws.js'

export interface ChosenVerifierOptions {
  /** Who verifies the JWTs of which issuer. */
  readonly issuers: Readonly<Record<string, TokenVerifier>>
  /** Who verifies what is no JWT. Default: nobody, such tokens are refused. */
  readonly opaque?: TokenVerifier
}

const schema = Type.Object({
  issuers: Type.Record(Type.String({ minLength: 1 }), Type.Object({}), { minProperties: 1, maxProperties: 1000 }),
  opaque: Type.Optional(Type.Object({}))
}, { additionalProperties: false })

// A schema sees only what an object has itself: a verifier may be of a class.
const isVerifier = ({ recall, verify }: TokenVerifier): boolean =>
  typeof recall === 'function' && typeof verify === 'function'

/**
 * Verifies tokens of several issuers, each by its own verifier: the one of the issuer that a JWT names, and the one for
 * opaque tokens when it is no JWT. What a token says about itself only chooses who has to verify all of it; when that
 * one fails or cannot be reached, no other is asked (RS-17).
 *
 * ```ts
 * const verifier = chosenVerifier({
 *   issuers: { [staff.issuer]: jwksVerifier(staff), [guests.issuer]: jwksVerifier(guests) },
 *   opaque: introspectionVerifier(old)
 * })
 * ```
 *
 * @throws {InvalidOptionError} `MCPS_ERR_INVALID_OPTION`, also when there is nobody to choose.
 */
export function chosenVerifier (options: ChosenVerifierOptions): TokenVerifier {
  assertOptions(schema, options, 'chosenVerifier')
  const { issuers, opaque } = options
  const byIssuer = new Map(Object.entries(issuers))
  const wrong = [...byIssuer].find(([, one]) => !isVerifier(one))
  if (wrong !== undefined) throw new InvalidOptionError(`chosenVerifier.issuers.${wrong[0]} must be a verifier`)
  if (opaque !== undefined && !isVerifier(opaque)) throw new InvalidOptionError('chosenVerifier.opaque must be a verifier')
  const verifiers = [...new Set([...byIssuer.values(), ...(opaque === undefined ? [] : [opaque])])]

  function choose (token: string): TokenVerifier {
    const issuer = claimedIssuer(token)
    if (issuer === null) throw new InvalidTokenError('no issuer')
    const chosen = issuer === undefined ? opaque : byIssuer.get(issuer)
    if (chosen === undefined) throw new InvalidTokenError(issuer === undefined ? 'not a JWT' : 'unknown issuer')
    return chosen
  }

  return {
    // Nobody remembers a token that was not given to it to verify.
    recall (token, now) {
      for (const verifier of verifiers) {
        const principal = verifier.recall(token, now)
        if (principal !== undefined) return principal
      }
      return undefined
    },

    verify: async (token, now) => await choose(token).verify(token, now)
  }
}
export default chosenVerifier
export type { Principal, TokenVerifier } from '../../types/principal.js'
