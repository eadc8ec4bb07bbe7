import { isSameResource } from '../protocol/resource-uri.js'
import { grantedTags } from '../protocol/tags.js'
import type { Principal } from '../../types/principal.js'
import { CLIENT_SUBJECT } from './access-token-claims.js'
import { readConfirmation } from './confirmation.js'
import { InvalidTokenError } from './errors.js'

/** Of an access token of ours: it always has a grant and an end. */
export interface OwnPrincipal extends Principal {
  readonly grantId: string
  readonly expiresAt: number
}

/** What a token must say to be good at this resource. */
export interface OwnTokenRules {
  readonly issuer: string
  readonly resource: string
  readonly tenant: string
}

type Claims = Readonly<Record<string, unknown>>

/** Seconds that the clocks of two of our own instances may be apart. Never applied to `exp`. */
const CLOCK_SKEW = 60

/**
 * Reads the payload of an access token that our key signed (RFC 9068 §4; RS-14, RS-15, RS-17 to RS-19) and answers
 * whom it stands for, deeply frozen. Does *not* know whether the grant was revoked, and asks for no
 * proof of what the token is bound to (`confirmation`).
 *
 * @throws {InvalidTokenError}
 */
export function readOwnPrincipal (payload: string, rules: OwnTokenRules, now: number): OwnPrincipal {
  const claims: Claims = JSON.parse(payload)
  readText(claims, 'jti')
  return ownPrincipalOf(claims, rules, now)
}

/**
 * The same for the claims that we hold of an opaque token, or that a signed one says.
 * @throws {InvalidTokenError}
 */
export function ownPrincipalOf (claims: Claims, rules: OwnTokenRules, now: number): OwnPrincipal {
  if (claims.iss !== rules.issuer) throw new InvalidTokenError('wrong issuer')
  if (!isFor(claims.aud, rules.resource)) throw new InvalidTokenError('wrong audience')
  const expiresAt = readNumber(claims, 'exp')
  if (now >= expiresAt) throw new InvalidTokenError('expired')
  if (readNumber(claims, 'iat') > now + CLOCK_SKEW) throw new InvalidTokenError('issued in the future')
  if (Object.hasOwn(claims, 'nbf') && readNumber(claims, 'nbf') > now + CLOCK_SKEW) throw new InvalidTokenError('not good yet')
  const scopes = readText(claims, 'scope').split(' ')

  return deepFreeze({
    subject: readSubject(claims),
    clientId: readText(claims, 'client_id'),
    tenant: rules.tenant,
    issuer: rules.issuer,
    resource: rules.resource,
    scopes,
    tags: grantedTags(scopes),
    roles: [],
    grantId: readText(claims, 'grant_id'),
    credential: 'access-token',
    confirmation: readConfirmation(claims),
    authenticatedAt: Object.hasOwn(claims, 'auth_time') ? readNumber(claims, 'auth_time') : null,
    acr: Object.hasOwn(claims, 'acr') ? readText(claims, 'acr') : null,
    amr: Array.isArray(claims.amr) ? claims.amr : [],
    expiresAt,
    claims
  })
}

/** The user; `null` when the token says that it is the client's own (RS-19). */
function readSubject (claims: Claims): string | null {
  const subject = readText(claims, 'sub')
  if (!Object.hasOwn(claims, 'sub_type')) return subject
  if (claims.sub_type !== CLIENT_SUBJECT || subject !== claims.client_id) throw new InvalidTokenError('unknown subject')
  return null
}

function isFor (audience: unknown, resource: string): boolean {
  // Nearly always, since we issue it. What is the very text of a resource that was checked at boot needs no reading.
  if (audience === resource) return true
  return [audience].flat().some((one) => typeof one === 'string' && isSameResource(one, resource))
}

function readText (claims: Claims, name: string): string {
  const value = claims[name]
  if (typeof value !== 'string' || value === '') throw new InvalidTokenError(`no ${name}`)
  return value
}

function readNumber (claims: Claims, name: string): number {
  const value = claims[name]
  // JSON has a spelling of infinity: 1e999.
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new InvalidTokenError(`no ${name}`)
  return value
}

function deepFreeze<T extends object> (value: T): T {
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null) deepFreeze(member)
  }
  return Object.freeze(value)
}
