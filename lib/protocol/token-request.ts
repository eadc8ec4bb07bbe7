import { assertNoRepeats, single, type Form } from './form.js'
import { OAuthError } from './oauth-error.js'
import { requestedResource } from './resource-uri.js'
import { readScope } from './scopes.js'

export interface CodeRequest {
  readonly grantType: 'authorization_code'
  readonly code: string
  readonly codeVerifier: string
  /** Must equal that of the authorization request when it is given (AS-T5). */
  readonly redirectUri?: string
  /** As sent; must be the granted one when it is given (AS-T7). */
  readonly resource?: string
}

export interface RefreshRequest {
  readonly grantType: 'refresh_token'
  readonly refreshToken: string
  /** Must be within the granted ones when given (AS-T9); never empty. */
  readonly scope?: string[]
  /** As sent; must be the granted one when it is given (AS-T7). */
  readonly resource?: string
}

export type TokenRequest = CodeRequest | RefreshRequest

/** No code, token or verifier of ours is longer; a longer one is not worth a digest. */
const MAX_LENGTH = 1024

/**
 * Reads a token request (AS-T1, AS-T12): which grant, and what that grant needs. Does *not* check the verifier, the
 * resource or the scope against anything: those belong to the grant. Client credentials are `readClientCredentials`'.
 * @throws {OAuthError} `invalid_request`, `unsupported_grant_type`, `invalid_scope`, `invalid_target`
 */
export function readTokenRequest (form: Form): TokenRequest {
  assertNoRepeats(form, ['resource', 'audience'])
  const grantType = required(form, 'grant_type')
  if (grantType === 'authorization_code') return readCodeRequest(form)
  if (grantType === 'refresh_token') return readRefreshRequest(form)
  throw new OAuthError({
    code: 'unsupported_grant_type',
    description: 'grant_type must be authorization_code or refresh_token'
  })
}

function readCodeRequest (form: Form): CodeRequest {
  const redirectUri = single(form, 'redirect_uri')
  return {
    grantType: 'authorization_code',
    code: required(form, 'code'),
    codeVerifier: required(form, 'code_verifier'),
    ...(redirectUri === undefined ? {} : { redirectUri }),
    ...readResource(form)
  }
}

function readRefreshRequest (form: Form): RefreshRequest {
  const refreshToken = required(form, 'refresh_token')
  const scope = readScope(single(form, 'scope'))
  return { grantType: 'refresh_token', refreshToken, ...(scope.length === 0 ? {} : { scope }), ...readResource(form) }
}

function readResource (form: Form): { resource?: string } {
  const resource = requestedResource(form)
  return resource === undefined ? {} : { resource }
}

function required (form: Form, name: string): string {
  const value = single(form, name)
  if (value === undefined) throw new OAuthError({ code: 'invalid_request', description: `${name} is missing` })
  if (value.length > MAX_LENGTH) throw new OAuthError({ code: 'invalid_request', description: `${name} is too long` })
  return value
}
