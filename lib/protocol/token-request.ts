import type { AuthorizationDetail } from '../../types/oauth.js'
import { readAuthorizationDetails } from './authorization-details.js'
import { assertNoRepeats, single, type Form } from './form.js'
import { OAuthError } from './oauth-error.js'
import { requestedResource } from './resource-uri.js'
import { readScope } from './scopes.js'

export interface CodeRequest {
  readonly code: string
  readonly codeVerifier: string
  /** Must equal that of the authorization request when it is given (AS-T5). */
  readonly redirectUri?: string
  /** Canonical; must be a granted one when it is given (AS-T7). */
  readonly resource?: string
  /** Must be granted ones when given (RFC 9396 §6.1). */
  readonly authorizationDetails?: readonly AuthorizationDetail[]
}

export interface RefreshRequest {
  readonly refreshToken: string
  /** Must be within the granted ones when given (AS-T9); never empty. */
  readonly scope?: string[]
  /** Canonical; must be a granted one when it is given (AS-T7). */
  readonly resource?: string
  /** Must be granted ones when given (RFC 9396 §6.1). */
  readonly authorizationDetails?: readonly AuthorizationDetail[]
}

/** No code, token or verifier of ours is longer; a longer one is not worth a digest. */
const MAX_LENGTH = 1024

/**
 * Reads which grant a token request is about (AS-T1, AS-T12). What that grant needs is read by its own reader, client
 * credentials by `readClientCredentials`.
 * @throws {OAuthError} `invalid_request` without one, or for a repeated parameter.
 */
export function readGrantType (form: Form): string {
  assertNoRepeats(form, ['resource', 'audience'])
  return required(form, 'grant_type')
}

/**
 * Reads the exchange of a code. Does *not* check the verifier or the resource against anything: those belong to the
 * grant, as with all readers here.
 * @throws {OAuthError} `invalid_request`, `invalid_target`
 */
export function readCodeRequest (form: Form): CodeRequest {
  const redirectUri = single(form, 'redirect_uri')
  return {
    code: required(form, 'code'),
    codeVerifier: required(form, 'code_verifier'),
    ...(redirectUri === undefined ? {} : { redirectUri }),
    ...readResource(form),
    ...readDetails(form)
  }
}

/**
 * Reads a refresh.
 * @throws {OAuthError} `invalid_request`, `invalid_scope`, `invalid_target`
 */
export function readRefreshRequest (form: Form): RefreshRequest {
  const refreshToken = required(form, 'refresh_token')
  const scope = readScope(single(form, 'scope'))
  return { refreshToken, ...(scope.length === 0 ? {} : { scope }), ...readResource(form), ...readDetails(form) }
}

function readResource (form: Form): { resource?: string } {
  const resource = requestedResource(form)
  return resource === undefined ? {} : { resource }
}

/** Whether they are known does not matter: they count only if they were granted. */
function readDetails (form: Form): { authorizationDetails?: readonly AuthorizationDetail[] } {
  const authorizationDetails = readAuthorizationDetails(single(form, 'authorization_details'), () => true)
  return authorizationDetails === undefined ? {} : { authorizationDetails }
}

/**
 * A parameter that has to be there.
 * @throws {OAuthError} `invalid_request` without it, or when it is longer than `max`.
 */
export function required (form: Form, name: string, max = MAX_LENGTH): string {
  const value = single(form, name)
  if (value === undefined) throw new OAuthError({ code: 'invalid_request', description: `${name} is missing` })
  if (value.length > max) throw new OAuthError({ code: 'invalid_request', description: `${name} is too long` })
  return value
}
