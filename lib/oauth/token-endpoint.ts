import type { Form } from '../protocol/form.js'
import { OAuthError } from '../protocol/oauth-error.js'
import { readGrantType } from '../protocol/token-request.js'
import type { Client } from '../../types/oauth.js'
import { authenticateClient } from './client-authentication.js'
import type { ClientRequest } from './client-request.js'
import type { Exchange, GrantTypes } from './grant-type.js'
import type { TokenAnswer } from './token-answer.js'
import type { TokenContext } from './token-context.js'
import { refusedWith } from './token-refusal.js'

/**
 * Answers a request to the token endpoint (AS-T1 to AS-T12): a table of grant types behind one way for clients to
 * show who they are.
 *
 * @throws {OAuthError} with the precise `reason` for the audit; a TokenRefusal, which brings the events to report,
 * once the client has shown who it is.
 * @throws {StoreUnavailableError} answer it 503: nothing was decided.
 */
export async function answerTokenRequest (
  request: ClientRequest, context: TokenContext, now: number
): Promise<TokenAnswer> {
  const client = await authenticateClient(request, context, now)
  const { clientId } = client
  const exchange = refusedWith({ clientId }, () => readExchange(request.form, client, context.grantTypes))
  const sender = refusedWith({ clientId }, () => context.readSender(request, client, now))
  return await exchange({ ...sender, client, context, now })
}

function readExchange (form: Form, client: Client, grantTypes: GrantTypes): Exchange {
  const grantType = readGrantType(form)
  const read = grantTypes.get(grantType)
  if (read === undefined) {
    throw new OAuthError({ code: 'unsupported_grant_type', description: 'grant_type is none that is supported here' })
  }
  const exchange = read(form)
  if (client.metadata.grant_types.includes(grantType)) return exchange
  throw new OAuthError({ code: 'unauthorized_client', description: 'the client did not register this grant type' })
}
