import { assertNoRepeats, single } from '../protocol/form.js'
import { OAuthError } from '../protocol/oauth-error.js'
import type { AuditInput } from '../../types/audit.js'
import { grantIdOfAccessToken } from '../tokens/access-token.js'
import { grantIdOfOpaqueToken } from '../tokens/opaque-token.js'
import { authenticateClient } from './client-authentication.js'
import type { ClientRequest } from './client-request.js'
import { grantIdOfRefreshToken } from './refresh-token.js'
import type { TokenContext } from './token-context.js'
import { factsOf } from './token-refusal.js'

/**
 * Revokes what a token stands for (RFC 7009, AS-V1, AS-V2): a refresh token, current or stale, and an access token of
 * either format, expired or not, both end their whole grant, at once. `token_type_hint` is not looked at: what a token
 * is shows by itself. Answer 200 with an empty body whenever this returns: a token that is unknown, gone or another
 * client's has no effect and looks no different.
 *
 * @throws {OAuthError} `invalid_request` without a token, `invalid_client`.
 */
export async function revokeToken (
  request: ClientRequest, context: TokenContext, now: number
): Promise<AuditInput> {
  const { form } = request
  const { grants } = context
  assertNoRepeats(form)
  const { clientId } = await authenticateClient(request, context, now)
  const token = single(form, 'token')
  if (token === undefined) throw new OAuthError({ code: 'invalid_request', description: 'token is missing' })

  const { keyring, secrets } = context
  const grantId = grantIdOfRefreshToken(token, secrets) ?? grantIdOfOpaqueToken(token, secrets) ??
    await grantIdOfAccessToken(token, keyring)
  const grant = grantId === null ? null : await grants.find(grantId, now)
  if (grant === null) return { type: 'revocation.refused', reason: 'nothing to revoke', clientId }
  const facts = factsOf(grant)
  if (grant.clientId !== clientId) {
    return { type: 'revocation.refused', reason: 'token of another client', ...facts, clientId }
  }
  const revoked = await grants.revoke(grant.grantId, now)
  return revoked
    ? { type: 'grant.revoked', reason: 'revoked by the client', ...facts }
    : { type: 'revocation.refused', reason: 'nothing to revoke', ...facts }
}
