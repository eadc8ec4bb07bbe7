import { OAuthError } from '../protocol/oauth-error.js'
import type { ScopeModel } from '../protocol/scopes.js'
import { DEVICE_GRANT, TOKEN_EXCHANGE } from '../protocol/grant-types.js'
import type { Client } from '../../types/oauth.js'
import type { Clients } from './clients.js'

/** By these a client acts for a user only. */
const FOR_USERS = ['authorization_code', 'refresh_token', DEVICE_GRANT, TOKEN_EXCHANGE]
/** What the ids of the operator's clients are made of. Any other may be a URL, and is not to be fetched. */
const NAME = /^[\w.~-]+$/

/** Whether the operator answers for a client: by the configuration, or by having made it at run time. */
export function isOperatorsClient ({ origin }: Client): boolean {
  return origin === 'static' || origin === 'admin'
}

/**
 * Whether the operator gave a client this name that may act for itself: its tokens and those of such a user would have
 * the same `sub`, and not every resource server looks at more (RFC 9068 §5, RS-19).
 */
export async function isNameOfClient (
  subject: string, { clients, now }: { readonly clients: Pick<Clients, 'find'>, readonly now: number }
): Promise<boolean> {
  const client = NAME.test(subject) ? await clients.find(subject, now) : null
  return client !== null && isOperatorsClient(client) &&
    client.metadata.grant_types.some((grantType) => !FOR_USERS.includes(grantType))
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
