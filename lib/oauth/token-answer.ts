import type { AuditInput } from '../../types/audit.js'
import type { AccessTokenFormat, Grant } from '../../types/oauth.js'
import type { Confirmation } from '../../types/sender-constraint.js'
import { issueAccessToken, type AccessTokenInput } from '../tokens/access-token.js'
import { KEY } from '../tokens/confirmation.js'
import { issueOpaqueToken, liveTokens, type OpaqueTokenInput } from '../tokens/opaque-token.js'
import { expiryOf } from './grant-records.js'
import type { TokenTarget } from './resources.js'
import type { TokenContext } from './token-context.js'

export interface TokenAnswer {
  readonly status: 200
  /** JSON text. Send it with `cache-control: no-store` (AS-T2). */
  readonly body: string
  readonly event: AuditInput
  /** Names of the leniencies that the request needed. */
  readonly leniencies?: readonly string[]
}

/**
 * Issues an access token for the target, in the format and with the lifetime of its resource, and builds the token
 * response (AS-T8): `scope` always, `expires_in` a number, absent members left out. The access token never outlives
 * the grant. It counts only when the answered grant is what the store holds next.
 */
export async function issueTokens (input: {
  readonly grant: Grant
  readonly target: TokenTarget
  readonly confirmation: Confirmation | null
  readonly refreshToken: string | null
  /** What else the answer says. */
  readonly members?: Readonly<Record<string, string>>
  readonly context: TokenContext
  readonly now: number
}): Promise<{ readonly body: string, readonly grant: Grant }> {
  const { grant, target: { resource: { resource, accessTokenLifetime, accessTokenFormat }, scopes } } = input
  const { confirmation, refreshToken, members = {}, context, now } = input
  const expiresAt = Math.min(now + accessTokenLifetime, expiryOf(grant, context.lifetimes))
  const { authorizationDetails = [] } = input.target
  const said = { ...context, grant: { ...grant, resource, authorizationDetails }, scopes, confirmation, expiresAt, now }
  const { token, accessTokens } = await issueToken(said, accessTokenFormat)
  const body = JSON.stringify({
    access_token: token,
    // One that is bound to a certificate alone is shown as a bearer token (RFC 8705 §3).
    token_type: confirmation !== null && KEY in confirmation ? 'DPoP' : 'Bearer',
    expires_in: expiresAt - now,
    scope: scopes.join(' '),
    ...(authorizationDetails.length === 0 ? {} : { authorization_details: authorizationDetails }),
    ...members,
    ...(refreshToken === null ? {} : { refresh_token: refreshToken })
  })
  return { body, grant: { ...grant, accessTokens } }
}

async function issueToken (input: AccessTokenInput & OpaqueTokenInput, format: AccessTokenFormat) {
  if (format === 'opaque') return issueOpaqueToken(input)
  return { token: await issueAccessToken(input), accessTokens: liveTokens(input.grant, input.now) }
}
