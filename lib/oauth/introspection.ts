import { secretsEqual, sha256 } from '../crypto/digest.js'
import { assertNoRepeats, single } from '../protocol/form.js'
import { OAuthError } from '../protocol/oauth-error.js'
import { isSameResource } from '../protocol/resource-uri.js'
import { KEY } from '../tokens/confirmation.js'
import { findOwnToken } from '../tokens/own-token.js'
import type { AuditInput } from '../../types/audit.js'
import type { Client } from '../../types/oauth.js'
import { authenticateClient } from './client-authentication.js'
import type { ClientRequest } from './client-request.js'
import { expiryOf } from './grant-records.js'
import { grantIdOfRefreshToken } from './refresh-token.js'
import type { TokenContext } from './token-context.js'

/** What a caller gets to know (RFC 7662 §2.2). */
export type TokenFacts = Readonly<Record<string, unknown>> & { readonly active: boolean }

export interface Introspection {
  /** Who asked: whom a signed answer is for. */
  readonly clientId: string
  readonly facts: TokenFacts
  readonly event: AuditInput
}

/** For whatever is not good, not ours, or none of the caller's business (AS-I2). */
const INACTIVE: TokenFacts = Object.freeze({ active: false })

/**
 * Tells about a token (RFC 7662, AS-I1, AS-I2): a resource server about access tokens for its resources, which are its
 * `introspects`, every other client about tokens that were issued to it. Nobody else learns anything, whatever there is
 * to know, and no resource server takes a refresh token for an access token. `token_type_hint` is not looked at.
 *
 * @throws {OAuthError} `invalid_client`, also for a client that cannot show who it is; `invalid_request` without token.
 */
export async function introspectToken (
  request: ClientRequest, context: TokenContext, now: number
): Promise<Introspection> {
  const { form } = request
  assertNoRepeats(form)
  const client = await authenticateClient(request, context, now)
  if (client.authenticationMethods.includes('none')) {
    throw new OAuthError({
      code: 'invalid_client', description: 'client authentication failed', reason: 'public client asks about a token'
    })
  }
  const token = single(form, 'token')
  if (token === undefined) throw new OAuthError({ code: 'invalid_request', description: 'token is missing' })

  const { clientId } = client
  const refreshed = grantIdOfRefreshToken(token, context.secrets)
  const told = refreshed === null
    ? await tellOfAccessToken(token, client, context, now)
    : await tellOfRefreshToken(refreshed, token, { client, context, now })
  if (typeof told !== 'string') return { clientId, ...told }
  return { clientId, facts: INACTIVE, event: { type: 'introspection.refused', reason: told, clientId } }
}

/** The reason, when there is nothing to tell. */
type Told = Omit<Introspection, 'clientId'> | string

async function tellOfAccessToken (token: string, client: Client, context: TokenContext, now: number): Promise<Told> {
  const principal = await findOwnToken(token, context, now)
  if (principal === null) return 'not active'
  const { resource, grantId, confirmation, claims } = principal
  const isServed = (client.introspects ?? []).some((one) => isSameResource(one, resource))
  if (!isServed && principal.clientId !== client.clientId) return 'token for another resource'
  const tokenType = confirmation !== null && KEY in confirmation ? 'DPoP' : 'Bearer'
  return {
    facts: { ...claims, token_type: tokenType, active: true },
    event: { type: 'introspection.answered', clientId: client.clientId, grantId, resource }
  }
}

async function tellOfRefreshToken (grantId: string, token: string, { client, context, now }: {
  readonly client: Client, readonly context: TokenContext, readonly now: number
}): Promise<Told> {
  const grant = await context.grants.find(grantId, now)
  if (grant === null || !secretsEqual(sha256(token), grant.refresh?.current ?? '')) return 'not active'
  const { clientId, subject, scopes, resource, confirmation } = grant
  if (client.introspects !== undefined || clientId !== client.clientId) return 'refresh token of another client'
  const facts = {
    active: true,
    iss: context.issuer,
    client_id: clientId,
    ...(subject === null ? {} : { sub: subject }),
    scope: scopes.join(' '),
    exp: expiryOf(grant, context.lifetimes),
    ...(confirmation === undefined ? {} : { cnf: confirmation })
  }
  return { facts, event: { type: 'introspection.answered', clientId, grantId, resource } }
}
