import { limitScopes } from '../../oauth/client-scopes.js'
import { isPushedRequestUri } from '../../oauth/pushed-requests.js'
import {
  readAccessRequest, readAuthorizationRequest, type AccessRequest, type AuthorizationContext, type AuthorizationRequest
} from '../../protocol/authorization-request.js'
import { assertNoRepeats, formOfQuery, single, type Form } from '../../protocol/form.js'
import { OAuthError } from '../../protocol/oauth-error.js'
import type { Client } from '../../../types/oauth.js'
import type { OAuthContext } from './context.js'

/** What a browser brings to the authorization endpoint. */
export interface AuthorizationInput {
  readonly form: Form
  /** Whether the client sent it ahead. */
  readonly isPushed: boolean
  /**
   * Uses a pushed request up, so that it opens one authorization.
   * @throws {OAuthError} `invalid_request_uri` when it was used before.
   */
  use (): Promise<void>
}

/**
 * The parameters of an authorization request: those of the query, or those that the client pushed, and then nothing of
 * the query (RFC 9126 §4, AS-P1).
 * @throws {OAuthError} `invalid_request_uri`, for a page: nobody knows where to go back to.
 */
export async function readInput (url: string, { pushed, store }: OAuthContext): Promise<AuthorizationInput> {
  const form = formOfQuery(url)
  const requestUri = single(form, 'request_uri')
  if (pushed === null || requestUri === undefined || !isPushedRequestUri(requestUri)) {
    return { form, isPushed: false, async use () {} }
  }
  const { requests } = pushed
  const kept = await requests.find(single(form, 'client_id') ?? '', requestUri, store.clock())
  if (kept === null) throw expired('unknown pushed request')
  return {
    form: kept,
    isPushed: true,
    async use () {
      if (!await requests.use(requestUri, store.clock())) throw expired('pushed request used before')
    }
  }
}

/**
 * Checks what a client asks for.
 * @throws {OAuthError} with the code that the client is told.
 */
export function readRequest (
  { form, isPushed }: Omit<AuthorizationInput, 'use'>, client: Client, context: OAuthContext
): AuthorizationRequest {
  const { pushed, model } = context
  if (!client.metadata.grant_types.includes('authorization_code')) {
    throw new OAuthError({ code: 'unauthorized_client', description: 'the client did not register this grant type' })
  }
  if (pushed?.mode === 'required' && !isPushed) {
    throw new OAuthError({
      code: 'invalid_request', description: 'the request must be pushed first', reason: 'request not pushed'
    })
  }
  const asked = readAuthorizationRequest(form, rulesOf(context))
  return { ...asked, scopes: limitScopes(client, asked.scopes, model) }
}

/**
 * Checks what a client asks for that has no browser.
 * @throws {OAuthError} `invalid_request` for a repeated parameter, `invalid_target`, `invalid_scope`
 */
export function readAccess (form: Form, client: Client, context: OAuthContext): AccessRequest {
  assertNoRepeats(form, ['resource'])
  const asked = readAccessRequest(form, rulesOf(context))
  return { ...asked, scopes: limitScopes(client, asked.scopes, context.model) }
}

function rulesOf ({ resources, tagLimits, detailTypes, tokens }: OAuthContext): AuthorizationContext {
  const { names, isKnown: isKnownDetail } = detailTypes
  const rules = { resources, missingResource: tokens.leniencies.missingResource, tagLimits }
  return names.length === 0 ? rules : { ...rules, isKnownDetail }
}

function expired (reason: string): OAuthError {
  return new OAuthError({
    code: 'invalid_request_uri', description: 'this link has expired or was used before', reason
  })
}
