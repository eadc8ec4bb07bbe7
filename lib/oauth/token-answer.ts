import type { AuditInput } from '../../types/audit.js'
import type { Grant } from '../../types/oauth.js'
import { issueAccessToken } from '../tokens/access-token.js'
import { expiryOf } from './grant-records.js'
import type { TokenContext } from './token-context.js'

export interface TokenAnswer {
  readonly status: 200
  /** JSON text. Send it with `cache-control: no-store` (AS-T2). */
  readonly body: string
  readonly event: AuditInput
}

/**
 * Issues an access token and builds the token response (AS-T8): `scope` always, `expires_in` a number, absent
 * members left out. The access token never outlives the grant.
 */
export function buildTokenBody (input: {
  grant: Grant, scopes: readonly string[], refreshToken: string | null, context: TokenContext, now: number
}): string {
  const { grant, scopes, refreshToken, context, now } = input
  const { keyring, issuer, lifetimes } = context
  const expiresAt = Math.min(now + lifetimes.accessToken, expiryOf(grant, lifetimes))
  const { token, expiresIn } = issueAccessToken({ keyring, issuer, grant, scopes, expiresAt, now })
  return JSON.stringify({
    access_token: token,
    token_type: 'Bearer',
    expires_in: expiresIn,
    scope: scopes.join(' '),
    ...(refreshToken === null ? {} : { refresh_token: refreshToken })
  })
}
