import { OAuthError } from '../protocol/oauth-error.js'
import { readScope } from '../protocol/scopes.js'
import type { Client } from '../../types/oauth.js'
import { isTrusted, issueDirect, readDirectRequest, withinCeiling, type DirectRequest, type DirectRules } from './direct-grant.js'
import type { GrantTypeReader } from './grant-type.js'
import { refusedWith } from './token-refusal.js'

const OPERATION = 'client_credentials'

/**
 * Gives a client a token of its own (RFC 6749 §4.4, AS-T11, EX-1, EX-2): no user, no refresh token, and what the
 * operator allowed the client in its `scope`, or less when it asks for less. Only for clients that the operator set up
 * and that show who they are; never for one that registered itself or brings a document.
 *
 * @throws {OAuthError} `invalid_scope`, `invalid_target`, `unauthorized_client`
 */
export function clientCredentialsGrant (rules: DirectRules): GrantTypeReader {
  return (form) => {
    const request = readDirectRequest(form, rules)
    return async (input) => {
      const { client } = input
      const { scopes: scopesAsked, resource: { resource } } = request
      const facts = { clientId: client.clientId, resource, operation: OPERATION, scopesAsked }
      const scopes = refusedWith(facts, () => ownScopes(request, client))
      return await issueDirect({ subject: null, scopes, resource }, { operation: OPERATION, request }, input)
    }
  }
}

function ownScopes ({ scopes, resource }: DirectRequest, client: Client): readonly string[] {
  if (!isTrusted(client)) {
    throw new OAuthError({
      code: 'unauthorized_client',
      description: 'this grant type is for clients that the operator set up',
      reason: 'client acts for itself without the trust of the operator'
    })
  }
  return withinCeiling(scopes, readScope(client.metadata.scope), resource)
}
