import { OAuthError } from '../protocol/oauth-error.js'
import { isSameResource } from '../protocol/resource-uri.js'
import { hasControlCharacters, isWellFormed } from '../protocol/text.js'
import { listClaim, textClaim, timeClaim, type Claims } from '../tokens/claims.js'
import { InvalidTokenError } from '../tokens/errors.js'
import type { EnterpriseIssuer } from '../../types/grant-options.js'
import type { Client } from '../../types/oauth.js'
import { readActors } from './actor.js'
import { askHost } from './ask-host.js'
import {
  allowedScopes, MAX_SUBJECT, resourceOf, type AskedDirectly, type DirectFacts, type DirectResource, type DirectRules
} from './direct-grant.js'

interface Circumstances {
  readonly issuer: EnterpriseIssuer
  readonly client: Client
  readonly tenant: string
  readonly asked: AskedDirectly
  readonly rules: DirectRules
}

/**
 * What an identity provider lets this client do for one of its users (ID-JAG; EX-11 to EX-13): the assertion is for
 * this client, and for a resource of ours; scopes are those that it names, or the default ones, within what the
 * operator allows the provider and the client, and within what the request asks for.
 *
 * @throws {InvalidTokenError} for an assertion that is not for this client or tenant, or malformed.
 * @throws {OAuthError} `invalid_target`, `invalid_scope`
 */
export async function readEnterpriseAssertion (claims: Claims, circumstances: Circumstances): Promise<DirectFacts> {
  const { issuer, client, tenant, asked, rules } = circumstances
  if (textClaim(claims, 'client_id') !== client.clientId) throw new InvalidTokenError('assertion for another client')
  if ((textClaim(claims, 'aud_tenant') ?? tenant) !== tenant) throw new InvalidTokenError('assertion for another tenant')
  const resource = chooseResource(claims, asked, rules)
  return {
    subject: await userOf(claims, issuer),
    scopes: scopesOf(claims, circumstances, resource),
    resource: resource.resource,
    authenticatedAt: timeClaim(claims, 'auth_time'),
    acr: textClaim(claims, 'acr'),
    amr: listClaim(claims, 'amr'),
    ...readActors(claims)
  }
}

/** The one that the request names, and the assertion as well; or the only one of ours that the assertion names. */
function chooseResource (claims: Claims, asked: AskedDirectly, rules: DirectRules): DirectResource {
  const named = listClaim(claims, 'resource')
  if (asked.resource !== undefined) {
    const { resource } = resourceOf(asked, rules)
    if (named.some((one) => isSameResource(one, resource.resource))) return resource
    throw new OAuthError({
      code: 'invalid_target', description: 'the assertion is for another resource', reason: 'assertion for another resource'
    })
  }
  const [only, ...others] = rules.resources.filter(({ resource }) => named.some((one) => isSameResource(one, resource)))
  if (only !== undefined && others.length === 0) return only
  throw new OAuthError({
    code: 'invalid_target',
    description: 'resource must name one resource of the assertion',
    reason: only === undefined ? 'assertion for another resource' : 'no choice among the resources of the assertion'
  })
}

/** Those that the assertion names, or else the default ones; fewer when the request asks for fewer. */
function scopesOf (
  claims: Claims, { issuer, client, asked }: Circumstances, resource: DirectResource
): readonly string[] {
  const given = Object.hasOwn(claims, 'scope') ? listClaim(claims, 'scope', ' ') : resource.defaultScopes
  const wanted = asked.scopes.length === 0 ? given : asked.scopes
  return allowedScopes(wanted, [given, issuer.scopes, client.metadata.scope?.split(' ')], resource)
}

async function userOf (claims: Claims, { issuer, user }: EnterpriseIssuer): Promise<string> {
  const subject = user === undefined
    ? foreignSubject(claims, issuer)
    : await askHost('assertionIssuers.user', () => user(claims))
  if (subject === null) throw new InvalidTokenError('no user of ours')
  if (subject === '' || subject.length > MAX_SUBJECT || hasControlCharacters(subject) || !isWellFormed(subject)) {
    throw new InvalidTokenError('no usable subject')
  }
  return subject
}

/** An issuer has neither query nor fragment: no two users have the same text, and no user of our own has one. */
function foreignSubject (claims: Claims, issuer: string): string {
  const tenant = textClaim(claims, 'tenant')
  const query = tenant === null ? '' : `?tenant=${encodeURIComponent(tenant)}`
  return `${issuer}${query}#${textClaim(claims, 'sub')}`
}
