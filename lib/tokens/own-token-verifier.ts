import type { Keyring } from '../crypto/keyring.js'
import type { Secrets } from '../../types/crypto.js'
import type { Grant } from '../../types/oauth.js'
import type { TokenVerifier } from '../../types/principal.js'
import { ACCESS_TOKEN_TYPE } from './access-token.js'
import { InvalidTokenError } from './errors.js'
import { keysByHeader, seekKey, verifyJws } from './jws.js'
import { claimsOfOpaqueToken, grantIdOfOpaqueToken, isOpaqueToken } from './opaque-token.js'
import { ownPrincipalOf, readOwnPrincipal, type OwnPrincipal, type OwnTokenRules } from './own-principal.js'
import { createRememberedTokens } from './remembered-tokens.js'

export interface OwnTokenVerifierInput extends OwnTokenRules {
  readonly keyring: Keyring
  /** What authenticates opaque tokens. */
  readonly secrets: Secrets
  /** `grants.find` */
  readonly findGrant: (grantId: string, now: number) => Promise<Grant | null>
  /** The version of a grant that has not ended, where that can be said at once: `grants.versionOf`. */
  readonly versionOf?: (grantId: string, now: number) => number | undefined
  /** Tokens remembered at the same time, at most; 0 remembers none. */
  readonly remembered: number
  /** Seconds after which a remembered token's grant is looked up again; 0 looks it up for every request. */
  readonly recheck: number
}

/**
 * What the user consented to is in the grant and not in the token: it never changes while the grant lives, so it is
 * read when the token is first verified, and remembered with it.
 */
function pinnedTo (grant: Grant, principal: OwnPrincipal, resource: string): OwnPrincipal {
  const { consented, unpinned = [] } = grant
  if (consented === undefined || principal.consented !== undefined || unpinned.includes(resource)) return principal
  return Object.freeze({ ...principal, consented: Object.freeze([...consented]) })
}

export interface OwnTokenVerifier extends TokenVerifier {
  /** Call it for every revoked grant: `grants.onRevoked(verifier.forget)`. In force for the next request. */
  forget (grantId: string): void
}

/**
 * Verifies the access tokens that we issue, JWTs and opaque ones side by side: signature or digest, issuer, audience,
 * times, and that the grant is live (RS-14 to RS-20, RS-29). A verified token is remembered by its exact text, so a
 * repeat costs neither signature nor store. What we did not issue costs no look at the store.
 *
 * A token of a key that another instance made a moment ago waits for that key; one of a key that was taken away is
 * forgotten. A revocation is in force at once where `forget` is called, and elsewhere after `recheck` seconds at most.
 */
export function createOwnTokenVerifier (input: OwnTokenVerifierInput): OwnTokenVerifier {
  const { keyring, secrets, findGrant, versionOf = () => undefined } = input
  const keys = keysByHeader(keyring, ACCESS_TOKEN_TYPE)
  const remembering = () => createRememberedTokens({ max: input.remembered, recheck: input.recheck, versionOf })
  let tokens = remembering()
  // Which of them its key signed nobody knows any more.
  keyring.onChange(({ isDropped }) => { if (isDropped) tokens = remembering() })

  async function findActive (grantId: string, now: number): Promise<Grant> {
    const grant = await findGrant(grantId, now)
    if (grant?.status !== 'active') throw new InvalidTokenError('the grant has ended')
    return grant
  }

  async function readSigned (token: string, now: number): Promise<OwnPrincipal> {
    await seekKey(token, keyring, keys)
    return readOwnPrincipal(verifyJws(token, keys), input, now)
  }

  /** Checks what a token shows by itself; the answered function looks its grant up. */
  async function read (token: string, now: number): Promise<{ grantId: string, lookUp: () => Promise<OwnPrincipal> }> {
    if (isOpaqueToken(token)) {
      const grantId = grantIdOfOpaqueToken(token, secrets)
      if (grantId === null) throw new InvalidTokenError('not a token of ours')
      const lookUp = async () => {
        const grant = await findActive(grantId, now)
        return pinnedTo(grant, ownPrincipalOf(claimsOfOpaqueToken(token, grant), input, now), input.resource)
      }
      return { grantId, lookUp }
    }
    const principal = tokens.known(token, now) ?? await readSigned(token, now)
    const { grantId } = principal
    const lookUp = async () => pinnedTo(await findActive(grantId, now), principal, input.resource)
    return { grantId, lookUp }
  }

  return {
    recall: (token, now) => tokens.recall(token, now),
    forget: (grantId) => { tokens.forget(grantId) },

    async verify (token, now) {
      // Those of now: when a key is taken away meanwhile, this token may be one of its.
      const { begin } = tokens
      const { grantId, lookUp } = await read(token, now)
      const look = async () => {
        const remember = begin(versionOf(grantId, now))
        const principal = await lookUp()
        return { principal, isRemembered: remember(token, principal, now) }
      }
      const first = await look()
      // When a grant was revoked during the look-up, it may be this one: look again, once.
      return first.isRemembered ? first.principal : (await look()).principal
    }
  }
}
