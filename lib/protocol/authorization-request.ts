import type { TagLimits } from '../../types/access.js'
import type { AuthorizationDetail } from '../../types/oauth.js'
import { readAuthorizationDetails, type IsKnownDetail } from './authorization-details.js'
import { isThumbprint } from './dpop.js'
import { assertNoRepeats, single, type Form } from './form.js'
import { OAuthError } from './oauth-error.js'
import { assertCodeChallenge } from './pkce.js'
import { matchRedirectUri } from './redirect-uri.js'
import { requestedResources } from './resource-uri.js'
import { readScope, type ScopeModel } from './scopes.js'
import { readSignInWish } from './sign-in-wish.js'

/** What a client wants to be allowed, by whichever way it asks. */
export interface AccessRequest {
  /** What the client asked for and the catalogue knows; the default scopes when that is nothing (AS-A8). */
  readonly scopes: readonly string[]
  /** A configured resource, canonical: the first that the client named. */
  readonly resource: string
  /** The others that it named. */
  readonly furtherResources: readonly string[]
  /** Names of the leniencies that this request needed. */
  readonly leniencies: string[]
}

export interface AuthorizationRequest extends AccessRequest {
  /** Byte by byte as sent (AS-A9). */
  readonly state: string | undefined
  readonly codeChallenge: string
  /** Thumbprint of the DPoP key that the code is to be bound to (RFC 9449 §10). */
  readonly codeKey: string | undefined
  /** What it asks for besides scopes (RFC 9396). */
  readonly authorizationDetails: readonly AuthorizationDetail[] | undefined
}

/** A resource that a client can ask for. */
export interface RequestableResource {
  /** Canonical. */
  readonly resource: string
  readonly model: Pick<ScopeModel, 'has'>
  readonly defaultScopes: readonly string[]
}

export interface AuthorizationContext {
  /** The resources of this server; the first is what a request without `resource` means. */
  readonly resources: readonly [RequestableResource, ...RequestableResource[]]
  /** The leniency of that name: a request without `resource` means the first one. */
  readonly missingResource: boolean
  readonly tagLimits?: TagLimits
  /** Left out: `authorization_details` means nothing here. */
  readonly isKnownDetail?: IsKnownDetail
}

const MAX_CLIENT_ID = 2048
const MAX_STATE = 4096

/**
 * Reads who asks and where the answer would go. Nothing is known about the redirect URI yet.
 * @throws {OAuthError} `invalid_request`: to be shown on a page, never sent to a redirect URI (AS-A2).
 */
export function readAuthorizationTarget (form: Form): { clientId: string, redirectUri: string | undefined } {
  const clientId = single(form, 'client_id')
  const redirectUri = single(form, 'redirect_uri')
  if (clientId === undefined) throw refusal('client_id is missing')
  if (clientId.length > MAX_CLIENT_ID) throw refusal('client_id is too long')
  return { clientId, redirectUri }
}

/**
 * The redirect URI that the answer goes to: the requested one if it is registered, or the only registered one when
 * none was requested (AS-A2, AS-A3).
 * @throws {OAuthError} `invalid_request`: to be shown on a page, never sent to a redirect URI.
 */
export function resolveRedirectUri (
  { requested, registered, localhostAnyPort }:
  { requested: string | undefined, registered: readonly string[], localhostAnyPort: boolean }
): string {
  if (requested !== undefined) {
    if (matchRedirectUri({ registered, requested, localhostAnyPort })) return requested
    throw refusal('redirect_uri is not registered for this client')
  }
  const [only, ...others] = registered
  if (only === undefined || others.length > 0) throw refusal('redirect_uri is missing')
  return only
}

/** The `state` to send back with an error: the only one that was given, whatever else is wrong with the request. */
export function stateOf (form: Form): string | undefined {
  const values = form.get('state')
  return values?.length === 1 && values[0] !== '' ? values[0] : undefined
}

/**
 * Checks everything about an authorization request but its client and redirect URI, in this order.
 * @throws {OAuthError} with the code that goes to the redirect URI, once the user has been asked (AS-A11).
 */
export function readAuthorizationRequest (form: Form, context: AuthorizationContext): AuthorizationRequest {
  assertNoRepeats(form, ['resource'])
  assertNoRequestObject(form)
  assertResponse(form)
  const codeChallenge = assertCodeChallenge({
    challenge: single(form, 'code_challenge'),
    method: single(form, 'code_challenge_method')
  })
  const access = readAccessRequest(form, context)
  readSignInWish(form)
  const state = readState(single(form, 'state'))
  const codeKey = readCodeKey(single(form, 'dpop_jkt'))
  const authorizationDetails = context.isKnownDetail === undefined
    ? undefined
    : readAuthorizationDetails(single(form, 'authorization_details'), context.isKnownDetail)
  return { ...access, state, codeChallenge, codeKey, authorizationDetails }
}

/**
 * Checks what a client wants to be allowed.
 * @throws {OAuthError} `invalid_target`, `invalid_scope`
 */
export function readAccessRequest (form: Form, context: AuthorizationContext): AccessRequest {
  const { targets, leniencies } = readTargets(form, context)
  const scopes = narrowScopes(readScope(single(form, 'scope'), context.tagLimits), targets)
  const [{ resource }, ...others] = targets
  return { scopes, resource, furtherResources: others.map(({ resource }) => resource), leniencies }
}

/** RFC 9101: a request object is neither read nor fetched (AS-A18). */
function assertNoRequestObject (form: Form): void {
  if (single(form, 'request') !== undefined) {
    throw refusal('request objects are not supported', 'request_not_supported')
  }
  if (single(form, 'request_uri') !== undefined) {
    throw refusal('request_uri is not supported', 'request_uri_not_supported')
  }
}

/** `response_type=code`, answered in the query (AS-A5). */
function assertResponse (form: Form): void {
  const responseType = single(form, 'response_type')
  const responseMode = single(form, 'response_mode')
  if (responseType === undefined) throw refusal('response_type is missing')
  if (responseType !== 'code') throw refusal('response_type must be code', 'unsupported_response_type')
  if (responseMode !== undefined && responseMode !== 'query') throw refusal('response_mode must be query')
}

type Targets = AuthorizationContext['resources']

/** What the tokens will be for: always resources of ours (AS-A7); and the leniencies that this took. */
function readTargets (
  form: Form, { resources, missingResource }: AuthorizationContext
): { targets: Targets, leniencies: string[] } {
  const [first, ...others] = requestedResources(form).map((requested) => {
    const found = resources.find(({ resource }) => resource === requested)
    if (found === undefined) throw refusal('resource is not served here', 'invalid_target')
    return found
  })
  if (first !== undefined) return { targets: [first, ...others], leniencies: [] }
  if (missingResource) return { targets: [resources[0]], leniencies: ['missingResource'] }
  throw refusal('resource is missing', 'invalid_target')
}

/** Scopes that no resource has are dropped; an error only if nothing remains and there is no default (AS-A8). */
function narrowScopes (asked: readonly string[], targets: Targets): string[] {
  const known = asked.filter((scope) => targets.some(({ model }) => model.has(scope)))
  if (known.length > 0) return known
  const defaults = targets.flatMap(({ defaultScopes }) => defaultScopes)
  if (defaults.length === 0) throw refusal('no known scope was asked for', 'invalid_scope')
  return [...new Set(defaults)]
}

function readState (state: string | undefined): string | undefined {
  if (state !== undefined && state.length > MAX_STATE) throw refusal('state is too long')
  return state
}

/** One that is none would bind the code to a key that nobody has. */
function readCodeKey (thumbprint: string | undefined): string | undefined {
  if (thumbprint === undefined || isThumbprint(thumbprint)) return thumbprint
  throw refusal('dpop_jkt must be the SHA-256 thumbprint of a key')
}

function refusal (description: string, code: OAuthError['code'] = 'invalid_request'): OAuthError {
  return new OAuthError({ code, description })
}
