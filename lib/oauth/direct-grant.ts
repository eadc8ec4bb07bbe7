import { randomId } from '../crypto/digest.js'
import { single, type Form } from '../protocol/form.js'
import { OAuthError } from '../protocol/oauth-error.js'
import { isSameResource, requestedResource } from '../protocol/resource-uri.js'
import { readScope, type ScopeModel } from '../protocol/scopes.js'
import type { TagLimits } from '../../types/access.js'
import type { Client, Grant } from '../../types/oauth.js'
import { isOperatorsClient } from './client-scopes.js'
import type { ExchangeInput } from './grant-type.js'
import { targetOf } from './resources.js'
import { issueTokens, type TokenAnswer } from './token-answer.js'
import { factsOf, rejectedWith } from './token-refusal.js'

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
export interface DirectRequest {
  /** Empty when it names none. */
  readonly scopes: readonly string[]
  readonly resource: DirectResource
  /** Names of the leniencies that it needed. */
  readonly leniencies: readonly string[]
}

/** What one grant of this kind is about. */
export type DirectFacts = Pick<Grant, 'subject' | 'scopes' | 'resource'> &
  Partial<Pick<Grant, 'authenticatedAt' | 'acr' | 'amr'>>

/**
 * Reads scope and resource of a request (RFC 6749 §3.3, RFC 8707 §2.2).
 * @throws {OAuthError} `invalid_scope`; `invalid_target` for a resource that is not served here.
 */
export function readDirectRequest (form: Form, { resources, tagLimits, missingResource }: DirectRules): DirectRequest {
  const scopes = readScope(single(form, 'scope'), tagLimits)
  const asked = requestedResource(form)
  if (asked === undefined && missingResource) {
    return { scopes, resource: resources[0], leniencies: ['missingResource'] }
  }
  const resource = asked === undefined ? undefined : resources.find((one) => isSameResource(one.resource, asked))
  if (resource !== undefined) return { scopes, resource, leniencies: [] }
  throw new OAuthError({
    code: 'invalid_target',
    description: asked === undefined ? 'resource is missing' : 'the resource is not served here',
    reason: asked === undefined ? 'no resource' : 'unknown resource'
  })
}

/**
 * What of `asked` lies in `ceiling`, by itself or by what that implies; all of the ceiling when nothing was asked for.
 * What does not exist at the resource is left out of both.
 * @throws {OAuthError} `invalid_scope` when nothing is left.
 */
export function withinCeiling (
  asked: readonly string[], ceiling: readonly string[], { model }: DirectResource
): readonly string[] {
  const most = model.closure(ceiling)
  const scopes = model.known(asked.length === 0 ? ceiling : asked.filter((scope) => most.has(scope)))
  if (scopes.length > 0) return scopes
  throw new OAuthError({ code: 'invalid_scope', description: 'the client may have none of these scopes' })
}

/** Whether the operator answers for this client, and it can show who it is (AS-T11). */
export function isTrusted (client: Client): boolean {
  return isOperatorsClient(client) && !client.authenticationMethods.includes('none')
}

/**
 * Gives an access token without anybody's consent, bound to what the client has shown, and no refresh token: whoever
 * decided so can be asked again. The
 * grant behind it is a record like any other, so that revocation ends it at once, and it ends with its token.
 */
export async function issueDirect (
  given: DirectFacts, { operation, request }: { operation: string, request: DirectRequest },
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
  await rejectedWith({ ...factsOf(grant), operation }, useProof)
  const { body, grant: issued } = await issueTokens({ grant, target, confirmation, refreshToken: null, context, now })
  await context.grants.open(issued, now)
  const { scopes: scopesAsked, leniencies } = request
  const event = { type: 'token.issued', ...factsOf(grant), operation, scopesAsked, scopesGranted: given.scopes } as const
  return { status: 200, body, event, leniencies }
}
