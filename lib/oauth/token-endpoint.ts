import type { Form } from '../protocol/form.js'
import { OAuthError } from '../protocol/oauth-error.js'
import { readTokenRequest } from '../protocol/token-request.js'
import type { Client, GrantType } from '../../types/oauth.js'
import { authenticateClient } from './client-authentication.js'
import { exchangeCode } from './code-grant.js'
import { refreshGrant } from './refresh-grant.js'
import type { TokenAnswer } from './token-answer.js'
import type { TokenContext } from './token-context.js'
import { refusedWith } from './token-refusal.js'

/**
 * Answers a request to the token endpoint (AS-T1 to AS-T12).
 *
 * @throws {OAuthError} with the precise `reason` for the audit; a TokenRefusal, which brings the events to report,
 * once the client has shown who it is.
 * @throws {StoreUnavailableError} answer it 503: nothing was decided.
 */
export async function answerTokenRequest (
  input: { form: Form, authorization: string | undefined }, context: TokenContext, now: number
): Promise<TokenAnswer> {
  const { form, authorization } = input
  const client = await authenticateClient({ form, authorization, clients: context.clients, now })
  const request = refusedWith({ clientId: client.clientId }, () => readRegisteredRequest(form, client))
  return request.grantType === 'authorization_code'
    ? await exchangeCode(request, client, context, now)
    : await refreshGrant(request, client, context, now)
}

function readRegisteredRequest (form: Form, client: Client) {
  const request = readTokenRequest(form)
  assertRegistered(client, request.grantType)
  return request
}

function assertRegistered (client: Client, grantType: GrantType): void {
  if (client.metadata.grant_types.includes(grantType)) return
  throw new OAuthError({ code: 'unauthorized_client', description: 'the client did not register this grant type' })
}
