import { OAuthError } from '../protocol/oauth-error.js'
import type { Client } from '../../types/oauth.js'
import {
  clientFacts, isTrusted, issueDirect, readDirectRequest, type AskedDirectly, type DirectFacts, type DirectRules
} from './direct-grant.js'
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
    const asked = readDirectRequest(form, rules)
    return async (input) => {
      const { client } = input
      const facts = { clientId: client.clientId, operation: OPERATION, scopesAsked: asked.scopes }
      const given = refusedWith(facts, () => ownFacts(asked, { client, rules }))
      return await issueDirect(given, { operation: OPERATION, asked }, input)
    }
  }
}

function ownFacts (asked: AskedDirectly, { client, rules }: { client: Client, rules: DirectRules }): DirectFacts {
  if (!isTrusted(client)) {
    throw new OAuthError({
      code: 'unauthorized_client',
      description: 'this grant type is for clients that the operator set up',
      reason: 'client acts for itself without the trust of the operator'
    })
  }
  return clientFacts(asked, { client, rules })
}
