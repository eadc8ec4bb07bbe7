import { grantedTags } from '../protocol/tags.js'
import type { ForeignClaims, ForeignTokenOptions } from '../../types/foreign-tokens.js'
import type { Principal } from '../../types/principal.js'
import { deepFreeze, isMeantFor, listClaim, textClaim, timeClaim, type Claims } from './claims.js'
import { readConfirmation } from './confirmation.js'
import { InvalidTokenError } from './errors.js'

/** What a token of another server has to say to be good at this resource. */
export interface ForeignTokenRules {
  readonly issuer: string
  readonly resource: string
  readonly audience?: string
  readonly tenant: string
  readonly claims: Required<ForeignClaims>
  readonly scopePrefix: string
  readonly credential: 'foreign-token' | 'introspected-token'
}

const DEFAULT_CLAIMS: Required<ForeignClaims> = { clientId: 'client_id', scopes: 'scope', roles: 'roles' }

/** Seconds that the clock of the other server may be ahead (RS-14). Never applied to `exp`. */
const CLOCK_SKEW = 60

// OpenID Connect Core §2 and §3.3.2.11.
const OF_ID_TOKENS = ['nonce', 'at_hash', 'c_hash', 's_hash']
const OF_ACCESS_TOKENS = new Set(['bearer', 'access', 'access_token', 'dpop'])

export function foreignTokenRules (
  options: ForeignTokenOptions, credential: ForeignTokenRules['credential']
): ForeignTokenRules {
  const { issuer, resource, audience, tenant = 'default', claims, scopePrefix = '' } = options
  return Object.freeze({
    issuer,
    resource,
    ...(audience === undefined ? {} : { audience }),
    tenant,
    claims: { ...DEFAULT_CLAIMS, ...claims },
    scopePrefix,
    credential
  })
}

/**
 * Reads what another server says about a token (RFC 9068 §4, RFC 7662 §2.2; RS-14 to RS-19) and answers whom it stands
 * for, deeply frozen. Everything named in `needed` has to be there; everything that is there has to be of its type.
 * A token whose subject is its client is the client's own (RFC 9068 §2.2): it has no subject.
 *
 * Does *not* know whether anybody signed it, and asks for no proof of what it is bound to: `confirmation` (RS-18).
 *
 * @throws {InvalidTokenError}
 */
export function readForeignPrincipal (
  said: Claims, rules: ForeignTokenRules, { needed, now }: { needed: readonly string[], now: number }
): Principal {
  const missing = needed.find((name) => !Object.hasOwn(said, name))
  if (missing !== undefined) throw new InvalidTokenError(`no ${missing}`)
  if ((textClaim(said, 'iss') ?? rules.issuer) !== rules.issuer) throw new InvalidTokenError('wrong issuer')
  if (!isMeantFor(said, rules)) throw new InvalidTokenError('wrong audience')
  const expiresAt = readTimes(said, now)
  const clientId = textClaim(said, rules.claims.clientId)
  if (clientId === null) throw new InvalidTokenError('no client')
  const subject = textClaim(said, 'sub')
  const scopes = listClaim(said, rules.claims.scopes, ' ').map((scope) => rules.scopePrefix + scope)

  return deepFreeze<Principal>({
    subject: subject === clientId ? null : subject,
    clientId,
    tenant: rules.tenant,
    issuer: rules.issuer,
    resource: rules.resource,
    scopes,
    tags: grantedTags(scopes),
    roles: listClaim(said, rules.claims.roles),
    grantId: null,
    credential: rules.credential,
    confirmation: readConfirmation(said),
    authenticatedAt: timeClaim(said, 'auth_time'),
    acr: textClaim(said, 'acr'),
    amr: listClaim(said, 'amr'),
    expiresAt,
    claims: said
  })
}

/** Answers when the token ends. */
function readTimes (said: Claims, now: number): number | null {
  const expiresAt = timeClaim(said, 'exp')
  if (expiresAt !== null && now >= expiresAt) throw new InvalidTokenError('expired')
  if ((timeClaim(said, 'iat') ?? now) > now + CLOCK_SKEW) throw new InvalidTokenError('issued in the future')
  if ((timeClaim(said, 'nbf') ?? now) > now + CLOCK_SKEW) throw new InvalidTokenError('not good yet')
  return expiresAt
}

/**
 * For tokens whose header does not say what they are: refuses those whose claims say that they are no access tokens.
 * Keycloak names the kind in `typ`, Cognito and Hydra in `token_use`, introspection answers in `token_type`; where
 * nothing does, a nonce or a hash tells an ID token, unless a claim `mustSay` what the token is.
 * @throws {InvalidTokenError}
 */
export function assertAccessToken (said: Claims, { mustSay = false }: { readonly mustSay?: boolean } = {}): void {
  const kinds = ['typ', 'token_use', 'token_type'].flatMap((name) => textClaim(said, name) ?? [])
  const isOther = kinds.length === 0
    ? mustSay || OF_ID_TOKENS.some((name) => Object.hasOwn(said, name))
    : kinds.some((kind) => !OF_ACCESS_TOKENS.has(kind.toLowerCase()))
  if (isOther) throw new InvalidTokenError('not an access token')
  // RFC 9449 §6.2. Without its key nobody could be held to it.
  const isBound = kinds.some((kind) => kind.toLowerCase() === 'dpop')
  if (isBound && !Object.hasOwn(said, 'cnf')) throw new InvalidTokenError('not bound to a key')
}
