import { OAuthError } from '../protocol/oauth-error.js'
import type { ScopeModel } from '../protocol/scopes.js'
import type { Client } from '../../types/oauth.js'

/** Whether the operator answers for a client: by the configuration, or by having made it at run time. */
export function isOperatorsClient ({ origin }: Client): boolean {
  return origin === 'static' || origin === 'admin'
}

/**
 * What is left of the scopes that a client asks for: those that the operator gave it (`clients[].scope`), and what
 * these imply. The scope that a client registered by itself is no limit (AS-R8).
 *
 * @throws {OAuthError} `invalid_scope` when nothing is left.
 */
export function limitScopes (client: Client, asked: readonly string[], model: ScopeModel): readonly string[] {
  const { metadata: { scope } } = client
  if (!isOperatorsClient(client) || scope === undefined) return asked
  const ceiling = model.closure(scope.split(' '))
  const scopes = asked.filter((one) => ceiling.has(one))
  if (scopes.length > 0) return scopes
  throw new OAuthError({ code: 'invalid_scope', description: 'the client may ask for none of these scopes' })
}
