import { InvalidOptionError } from '../errors.js'
import { TOKEN_EXCHANGE } from '../protocol/grant-types.js'
import { OAuthError } from '../protocol/oauth-error.js'
import { isSameResource } from '../protocol/resource-uri.js'
import { issueAccessToken } from '../tokens/access-token.js'
import { isClaims } from '../tokens/claims.js'
import { KEY } from '../tokens/confirmation.js'
import { assertAddress } from '../tokens/foreign-options.js'
import { findOwnToken } from '../tokens/own-token.js'
import type { OwnPrincipal } from '../tokens/own-principal.js'
import type { ExchangeService } from '../../types/grant-options.js'
import type { Client } from '../../types/oauth.js'
import { readActors } from './actor.js'
import { isTrusted } from './direct-grant.js'
import { ACCESS_TOKEN, readExchangeRequest, type ExchangeRequest } from './exchange-request.js'
import type { ExchangeInput, GrantTypeReader } from './grant-type.js'
import type { TokenAnswer } from './token-answer.js'
import { rejectedWith } from './token-refusal.js'

/**
 * Exchanges a user's access token for one that a service behind this server takes (RFC 8693, AS-P6), so that the
 * client's own token goes no further. The new token is for that service alone, carries what the old one carries and the
 * service may have, says who acts for the user (`act`), ends with the old one, and with the grant of the old one. It is
 * a JWT, whatever other tokens are: the service has our keys, and not our store. Nothing is stored.
 *
 * @throws {OAuthError} `invalid_request` for a token that is not good; `invalid_target`, `invalid_scope`,
 * `unauthorized_client`
 */
export function tokenExchangeGrant (services: readonly ExchangeService[]): GrantTypeReader {
  return (form) => {
    const request = readExchangeRequest(form)
    return async (input) => {
      const { client: { clientId } } = input
      const facts = { clientId, operation: TOKEN_EXCHANGE, scopesAsked: request.scopes }
      return await rejectedWith(facts, () => exchange(request, findService(services, request, input.client), input))
    }
  }
}

/** @throws {InvalidOptionError} whose message starts with the path of the wrong member. */
export function assertServices (services: readonly ExchangeService[], ours: readonly string[]): void {
  services.forEach(({ audience }, index) => {
    const path = `tokenExchange.${index}.audience`
    assertAddress(audience, path)
    if (ours.some((one) => isSameResource(one, audience))) throw new InvalidOptionError(`${path} must not be this server's own`)
    const isTwice = services.slice(0, index).some((one) => isSameResource(one.audience, audience))
    if (isTwice) throw new InvalidOptionError(`${path} is there twice`)
  })
}

async function exchange (
  request: ExchangeRequest, service: ExchangeService, input: ExchangeInput
): Promise<TokenAnswer> {
  const { client, context, confirmation, now } = input
  const { clientId } = client
  const principal = await findOwnToken(request.subjectToken, context, now)
  // What a client does for itself it can do with a token of its own.
  if (principal === null || principal.subject === null) throw badToken('not a live token of a user')
  assertMayAct(principal, clientId)
  const { subject, grantId, authenticatedAt, acr, amr, claims } = principal
  const scopes = scopesOf(request, principal, service)
  const grant = {
    subject, grantId, authenticatedAt, acr, amr, clientId, resource: service.audience, ...actorAfter(clientId, claims)
  }
  const expiresAt = Math.min(now + context.lifetimes.accessToken, principal.expiresAt)
  await input.useProof()
  const body = JSON.stringify({
    access_token: await issueAccessToken({ ...context, grant, scopes, confirmation, expiresAt, now }),
    issued_token_type: ACCESS_TOKEN,
    token_type: confirmation !== null && KEY in confirmation ? 'DPoP' : 'Bearer',
    expires_in: expiresAt - now,
    scope: scopes.join(' ')
  })
  const facts = { subject, clientId, grantId, resource: service.audience, operation: TOKEN_EXCHANGE }
  return { status: 200, body, event: { type: 'token.issued', ...facts, scopesAsked: request.scopes, scopesGranted: scopes } }
}

function findService (
  services: readonly ExchangeService[], { target }: ExchangeRequest, client: Client
): ExchangeService {
  if (!isTrusted(client)) {
    throw new OAuthError({
      code: 'unauthorized_client', description: 'this grant type is for clients that the operator set up', reason: 'client without the trust of the operator'
    })
  }
  const service = services.find(({ audience }) => isSameResource(audience, target))
  // Which services there are is nobody's business who may not use them.
  if (service !== undefined && service.clients.includes(client.clientId)) return service
  throw new OAuthError({
    code: 'invalid_target',
    description: 'the client may have no token for this service',
    reason: service === undefined ? 'unknown service' : 'service of other clients'
  })
}

function scopesOf (
  { scopes: asked }: ExchangeRequest, principal: OwnPrincipal, service: ExchangeService
): readonly string[] {
  const most = principal.scopes.filter((scope) => service.scopes.includes(scope))
  const scopes = asked.length === 0 ? most : most.filter((scope) => asked.includes(scope))
  if (scopes.length > 0) return scopes
  throw new OAuthError({
    code: 'invalid_scope', description: 'none of these scopes can go to the service', reason: 'nothing left to exchange'
  })
}

/** A token that names who may act takes nobody else (RFC 8693 §4.4). */
function assertMayAct ({ claims, issuer }: OwnPrincipal, clientId: string): void {
  const { may_act: named } = claims
  if (named === undefined) return
  const isNamed = isClaims(named) && named.sub === clientId && (named.iss ?? issuer) === issuer
  if (!isNamed) throw badToken('another actor is named')
}

/** This client acts now, for whoever has acted until now. */
function actorAfter (clientId: string, { act }: OwnPrincipal['claims']) {
  try {
    return readActors({ act: { sub: clientId, ...(act === undefined ? {} : { act }) } })
  } catch {
    throw badToken('too many actors')
  }
}

function badToken (reason: string): OAuthError {
  return new OAuthError({ code: 'invalid_request', description: 'the subject token cannot be exchanged', reason })
}
