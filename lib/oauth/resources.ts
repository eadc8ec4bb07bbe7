import { OAuthError } from '../protocol/oauth-error.js'
import type { AccessTokenFormat, AuthorizationDetail, Grant } from '../../types/oauth.js'

/** A resource that tokens are issued for. */
export interface TokenResource {
  /** Canonical; the audience of its tokens. */
  readonly resource: string
  /** Seconds. */
  readonly accessTokenLifetime: number
  readonly accessTokenFormat: AccessTokenFormat
  /** Whether a scope means something there. */
  offers (scope: string): boolean
}

/** By canonical identifier; the first is what a request means that names none. */
export type TokenResources = ReadonlyMap<string, TokenResource>

/** What one access token of a grant is for, and what of the grant it carries. */
export interface TokenTarget {
  readonly resource: TokenResource
  readonly scopes: readonly string[]
  /** Left out: none. */
  readonly authorizationDetails?: readonly AuthorizationDetail[]
}

/** The resources that the user agreed to, in the order in which the client named them. */
export function resourcesOf ({ resource, furtherResources = [] }: Pick<Grant, 'resource' | 'furtherResources'>): string[] {
  return [resource, ...furtherResources]
}

/**
 * Which resource the next access token of a grant is for (AS-T7, RFC 8707 §2.2): the one that the request names, or
 * the only one of the grant. A grant for several asks for a choice each time, and the token then carries what of the
 * grant's scopes that resource offers. `requested` is canonical.
 * @throws {OAuthError} `invalid_target`
 */
export function targetOf (
  grant: Pick<Grant, 'resource' | 'furtherResources' | 'scopes'>, requested: string | undefined, resources: TokenResources
): TokenTarget {
  const granted = resourcesOf(grant)
  if (requested === undefined && granted.length > 1) {
    throw refusal('resource must name one of the resources of the grant', 'no choice among the resources of the grant')
  }
  const found = resources.get(requested ?? grant.resource)
  if (found === undefined || !granted.includes(found.resource)) {
    throw refusal('the grant is for another resource', 'request names another resource')
  }
  if (granted.length === 1) return { resource: found, scopes: grant.scopes }
  const scopes = grant.scopes.filter(found.offers)
  if (scopes.length > 0) return { resource: found, scopes }
  throw refusal('nothing was granted at this resource', 'no scope of the grant at this resource')
}

function refusal (description: string, reason: string): OAuthError {
  return new OAuthError({ code: 'invalid_target', description, reason })
}
