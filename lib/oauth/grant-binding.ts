import { OAuthError } from '../protocol/oauth-error.js'
import type { Client, Grant } from '../../types/oauth.js'
import type { Confirmation } from '../../types/sender-constraint.js'
import type { TokenContext } from './token-context.js'

/**
 * Checks that the grant is this client's and for a resource of this server (AS-T4).
 * @throws {OAuthError} `invalid_grant`
 */
export function assertBound (grant: Grant, { client, context }: { client: Client, context: TokenContext }): void {
  if (grant.clientId !== client.clientId) throw invalidGrant('grant of another client')
  if (!context.resources.has(grant.resource)) throw invalidGrant('grant for a resource that is not served here')
}

/**
 * Checks that whoever comes has shown all that a code or token is bound to (RFC 9449 §5, §10; RFC 8705 §4).
 * @throws {OAuthError} `invalid_grant`
 */
export function assertSender (bound: Confirmation, shown: Confirmation | null): void {
  const isShown = ([name, value]: [string, string]): boolean => shown !== null && shown[name] === value
  if (!Object.entries(bound).every(isShown)) throw invalidGrant('bound to another key or certificate')
}

/**
 * What refresh tokens of this client get to be bound to: those of a public one to what it has shown (RFC 9449 §5,
 * RFC 8705 §4). A client that authenticates is bound by that, and may change its keys.
 */
export function bindingOf ({ metadata }: Client, shown: Confirmation | null): { readonly confirmation?: Confirmation } {
  return shown === null || metadata.token_endpoint_auth_method !== 'none' ? {} : { confirmation: shown }
}

/** One description for every reason, so that nobody learns what was wrong with a stolen code or token (RS-29). */
export function invalidGrant (reason: string): OAuthError {
  return new OAuthError({ code: 'invalid_grant', description: 'the code or token is not valid for this client', reason })
}
