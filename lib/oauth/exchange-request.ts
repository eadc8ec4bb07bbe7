import { single, type Form } from '../protocol/form.js'
import { OAuthError } from '../protocol/oauth-error.js'
import { requestedResource } from '../protocol/resource-uri.js'
import { readScope } from '../protocol/scopes.js'
import { required } from '../protocol/token-request.js'

/** RFC 8693 §3. */
export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const JWT = 'urn:ietf:params:oauth:token-type:jwt'

/** Characters. No access token of ours has half as many. */
const MAX_TOKEN = 8192

export interface ExchangeRequest {
  readonly subjectToken: string
  /** The one service, as sent, by `audience` or `resource`. */
  readonly target: string
  /** Empty when none was asked for. */
  readonly scopes: readonly string[]
}

/**
 * Reads a token exchange (RFC 8693 §2.1): an access token, for one service. Who acts is the client that asks, so an
 * actor token is refused.
 * @throws {OAuthError} `invalid_request`, `invalid_scope`, `invalid_target`
 */
export function readExchangeRequest (form: Form): ExchangeRequest {
  const subjectToken = required(form, 'subject_token', MAX_TOKEN)
  if (required(form, 'subject_token_type') !== ACCESS_TOKEN) throw refusal('subject_token_type must be that of access tokens')
  if (form.has('actor_token') || form.has('actor_token_type')) throw refusal('the actor is the client: actor_token is not taken')
  const wanted = single(form, 'requested_token_type')
  if (wanted !== undefined && wanted !== ACCESS_TOKEN && wanted !== JWT) {
    throw refusal('requested_token_type must be that of access tokens')
  }
  return { subjectToken, target: readTarget(form), scopes: readScope(single(form, 'scope')) }
}

function readTarget (form: Form): string {
  const resource = requestedResource(form)
  const named = [...form.get('audience') ?? [], ...resource === undefined ? [] : [resource]].filter((one) => one !== '')
  const [target, ...others] = new Set(named)
  if (target !== undefined && others.length === 0) return target
  throw new OAuthError({ code: 'invalid_target', description: 'audience or resource must name one service' })
}

function refusal (description: string): OAuthError {
  return new OAuthError({ code: 'invalid_request', description })
}
