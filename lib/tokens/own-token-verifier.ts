import type { Keyring } from '../crypto/keyring.js'
import type { TokenVerifier } from '../../types/principal.js'
import { ACCESS_TOKEN_TYPE } from './access-token.js'
import { InvalidTokenError } from './errors.js'
import { keysByHeader, verifyJws } from './jws.js'
import { readOwnPrincipal, type OwnTokenRules } from './own-principal.js'
import { createRememberedTokens } from './remembered-tokens.js'

export interface OwnTokenVerifierInput extends OwnTokenRules {
  readonly keyring: Keyring
  /** Whether a grant is still good: `grants.isLive`. */
  readonly isLive: (grantId: string, now: number) => Promise<boolean>
  /** Tokens remembered at the same time, at most; 0 remembers none. */
  readonly remembered: number
  /** Seconds after which a remembered token's grant is looked up again; 0 looks it up for every request. */
  readonly recheck: number
}

export interface OwnTokenVerifier extends TokenVerifier {
  /** Call it for every revoked grant: `grants.onRevoked(verifier.forget)`. In force for the next request. */
  forget (grantId: string): void
}

/**
 * Verifies the access tokens that we issue: signature, issuer, audience, times, and that the grant is live (RS-14 to
 * RS-20). A verified token is remembered by its exact text, so a repeat costs neither signature nor store.
 *
 * A revocation is in force at once where `forget` is called, and elsewhere after `recheck` seconds at most.
 */
export function createOwnTokenVerifier (input: OwnTokenVerifierInput): OwnTokenVerifier {
  const { keyring, isLive } = input
  const keys = keysByHeader(keyring, ACCESS_TOKEN_TYPE)
  const tokens = createRememberedTokens({ max: input.remembered, recheck: input.recheck })

  return {
    recall: tokens.recall,
    forget: tokens.forget,

    async verify (token, now) {
      const principal = tokens.known(token, now) ?? readOwnPrincipal(verifyJws(token, keys), input, now)
      // When a grant was revoked during the look-up, it may be this one: look again, once.
      for (let looks = 0; looks < 2; looks += 1) {
        const remember = tokens.begin()
        if (!await isLive(principal.grantId, now)) throw new InvalidTokenError('the grant has ended')
        if (remember(token, principal, now)) return principal
      }
      return principal
    }
  }
}
