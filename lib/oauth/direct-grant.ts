import { randomId } from '../crypto/digest.js'
import { single, type Form } from '../protocol/form.js'
import { OAuthError } from '../protocol/oauth-error.js'
import { isSameResource, requestedResource } from '../protocol/resource-uri.js'
import { readScope, type ScopeModel } from '../protocol/scopes.js'
import type { TagLimits } from '../../types/access.js'
import type { Client, Grant } from '../../types/oauth.js'
import { isNameOfClient, isOperatorsClient } from './client-scopes.js'
import { invalidGrant } from './grant-binding.js'
import type { ExchangeInput } from './grant-type.js'
import { targetOf } from './resources.js'
import { issueTokens, type TokenAnswer } from './token-answer.js'
import { factsOf, rejectedWith } from './token-refusal.js'

/** Characters of a subject. */
export const MAX_SUBJECT = 255

/** A resource that a token can be had for without a browser. */
export interface DirectResource {
  readonly resource: string
  readonly model: ScopeModel
  readonly defaultScopes: readonly string[]
}

/** What the grant types without a browser may give. */
export interface DirectRules {
  readonly resources: readonly [DirectResource, ...DirectResource[]]
  readonly tagLimits: TagLimits
  /** The leniency of that name: a request without `resource` means the first one. */
  readonly missingResource: boolean
}

/** What such a request asks for. */
export interface AskedDirectly {
  /** Empty when it names none. */
  readonly scopes: readonly string[]
  /** As sent. */
  readonly resource: string | undefined
}

/** What one grant of this kind is about. */
export type DirectFacts = Pick<Grant, 'subject' | 'scopes' | 'resource'> &
  Partial<Pick<Grant, 'authenticatedAt' | 'acr' | 'amr' | 'actor' | 'mayAct'>> & {
    /** Names of the leniencies that it needed. */
    readonly leniencies?: readonly string[]
  }

/**
 * Reads scope and resource of a request (RFC 6749 §3.3, RFC 8707 §2.2).
 * @throws {OAuthError} `invalid_scope`, `invalid_target`
 */
export function readDirectRequest (form: Form, { tagLimits }: DirectRules): AskedDirectly {
  return { scopes: readScope(single(form, 'scope'), tagLimits), resource: requestedResource(form) }
}

/**
 * The resource that a request is about, and the leniencies that this needed.
 * @throws {OAuthError} `invalid_target` for one that is not served here, and without one where that means nothing.
 */
export function resourceOf (
  { resource: asked }: AskedDirectly, { resources, missingResource }: DirectRules
): { readonly resource: DirectResource, readonly leniencies: readonly string[] } {
  if (asked === undefined && missingResource) return { resource: resources[0], leniencies: ['missingResource'] }
  const resource = asked === undefined ? undefined : resources.find((one) => isSameResource(one.resource, asked))
  if (resource !== undefined) return { resource, leniencies: [] }
  throw new OAuthError({
    code: 'invalid_target',
    description: asked === undefined ? 'resource is missing' : 'the resource is not served here',
    reason: asked === undefined ? 'no resource' : 'unknown resource'
  })
}

/**
 * What of `scopes` the resource has and every ceiling contains or implies; `undefined` is no ceiling.
 * @throws {OAuthError} `invalid_scope` when nothing is left.
 */
export function allowedScopes (
  scopes: readonly string[], ceilings: ReadonlyArray<readonly string[] | undefined>, { model }: DirectResource
): readonly string[] {
  const closures = ceilings.flatMap((ceiling) => ceiling === undefined ? [] : [model.closure(ceiling)])
  const allowed = model.known(scopes).filter((scope) => closures.every((closure) => closure.has(scope)))
  if (allowed.length > 0) return allowed
  throw new OAuthError({ code: 'invalid_scope', description: 'the client may have none of these scopes' })
}

/**
 * What a client gets that acts for itself: no user, and what the operator gave it in its `scope`, or less when it asks
 * for less.
 * @throws {OAuthError} `invalid_scope`, `invalid_target`
 */
export function clientFacts (
  asked: AskedDirectly, { client, rules }: { client: Client, rules: DirectRules }
): DirectFacts {
  const { resource, leniencies } = resourceOf(asked, rules)
  const ceiling = readScope(client.metadata.scope)
  const scopes = allowedScopes(asked.scopes.length === 0 ? ceiling : asked.scopes, [ceiling], resource)
  return { subject: null, scopes, resource: resource.resource, leniencies }
}

/** Whether the operator answers for this client, and it can show who it is (AS-T11). */
export function isTrusted (client: Client): boolean {
  return isOperatorsClient(client) && !client.authenticationMethods.includes('none')
}

/**
 * Gives an access token without anybody's consent, bound to what the client has shown, and no refresh token: whoever
 * decided so can be asked again. The grant behind it is a record like any other, so that revocation ends it at once,
 * and it ends with its token. The answer names the resource (EX-12).
 */
export async function issueDirect (
  { leniencies = [], ...given }: DirectFacts, { operation, asked }: { operation: string, asked: AskedDirectly },
  { client, context, confirmation, useProof, now }: ExchangeInput
): Promise<TokenAnswer> {
  const { clientId } = client
  const target = targetOf(given, undefined, context.resources)
  const grant: Grant = {
    authenticatedAt: null,
    acr: null,
    amr: [],
    ...given,
    status: 'active',
    grantId: randomId(),
    clientId,
    redirectUri: '',
    state: null,
    codeChallenge: '',
    createdAt: now,
    handleDigest: '',
    codeDigest: null,
    exchangedAt: null,
    refresh: null,
    endsAt: now + target.resource.accessTokenLifetime
  }
  const { scopes: scopesAsked } = asked
  await rejectedWith({ ...factsOf(grant), operation, scopesAsked }, async () => {
    const { subject } = given
    if (subject !== null && await isNameOfClient(subject, { ...context, now })) throw invalidGrant('user named like a client')
    await useProof()
  })
  const { body, grant: issued } = await issueTokens({
    grant, target, confirmation, refreshToken: null, members: { resource: given.resource }, context, now
  })
  await context.grants.open(issued, now)
  const event = { type: 'token.issued', ...factsOf(grant), operation, scopesAsked, scopesGranted: given.scopes } as const
  return { status: 200, body, event, leniencies }
}
