import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { csrfToken } from '../../identity/csrf.js'
import { isNameOfClient, isOperatorsClient } from '../../oauth/client-scopes.js'
import { factsOf } from '../../oauth/token-refusal.js'
import type { GrantRequest } from '../../oauth/consent.js'
import { consentPage } from '../../pages/consent-page.js'
import { stateOf, type AuthorizationRequest } from '../../protocol/authorization-request.js'
import { OAuthError } from '../../protocol/oauth-error.js'
import { signInWishOf } from '../../protocol/sign-in-wish.js'
import type { Client } from '../../../types/oauth.js'
import type { SignedInUser } from '../../../types/sign-in.js'
import { readBrowserId } from '../support/browser-cookie.js'
import { refuseOtherMethods } from '../support/other-methods.js'
import { recordEvent } from '../support/record-event.js'
import { refusalOf } from '../support/refusal.js'
import { sendPage } from '../support/send-page.js'
import { readInput, readRequest, type AuthorizationInput } from './authorization-input.js'
import { redirectTo, redirectWithCode, refuseToClient } from './authorization-response.js'
import { findTarget, mustBeFetched, type AuthorizationTarget } from './authorization-target.js'
import { buildConsentModel, consentedBy } from './consent-model.js'
import type { OAuthContext } from './context.js'
import { signInSince, situationOf, whyUnmet } from './fresh-sign-in.js'
import { answerOAuthErrors } from './oauth-errors.js'
import { answerErrorPages } from './page-errors.js'
import { codeOfRemembered, isPageWanted, type OpenedAuthorization } from './remembered.js'
import { askWhoIsSignedIn, namedLikeClient, signInFirst } from './signed-in-user.js'

const CONFIG = { mcpSecurity: { public: true }, mcpLimit: 'sensitive', mcpPage: true } as const

const loginRequired = new OAuthError({ code: 'login_required', description: 'nobody is signed in' })
const consentRequired = new OAuthError({ code: 'consent_required', description: 'the user has to be asked' })

/** What a consent page's token is bound to: this purpose, this browser, this authorization (AS-C2). */
export const csrfPartsOf = (browserId: string, grantId: string): string[] => ['consent', browserId, grantId]

function tryToRead (
  input: AuthorizationInput, client: Client, context: OAuthContext
): AuthorizationRequest | OAuthError {
  try {
    return readRequest(input, client, context)
  } catch (error) {
    return refusalOf(error)
  }
}

interface Asked {
  readonly context: OAuthContext
  readonly target: AuthorizationTarget
  readonly asked: AuthorizationRequest
  readonly user: SignedInUser
}

/** What the user is to agree to. */
function wantedOf ({ context, target: { client, redirectUri }, asked, user }: Asked): GrantRequest {
  const { scopes, resource, furtherResources, authorizationDetails, codeChallenge, codeKey } = asked
  const { subject, authenticatedAt = null, acr = null, amr = [] } = user
  return {
    clientId: client.clientId,
    subject,
    redirectUri,
    resource,
    ...(furtherResources.length === 0 ? {} : { furtherResources }),
    ...(authorizationDetails === undefined ? {} : { authorizationDetails }),
    scopes,
    codeChallenge,
    ...(codeKey === undefined || context.dpop === null ? {} : { codeKey }),
    state: asked.state ?? null,
    authenticatedAt,
    acr,
    amr,
    ...consentedBy(asked, context)
  }
}

/** The first write of the whole flow: until here nobody was signed in. */
async function openAuthorization (request: FastifyRequest, { context, asked, wanted, terms }: {
  readonly context: OAuthContext
  readonly asked: AuthorizationRequest
  readonly wanted: GrantRequest
  readonly terms: string | null
}): Promise<OpenedAuthorization> {
  const { store } = context
  const opened = await store.grants.request(terms === null ? wanted : { ...wanted, terms }, store.clock())
  const { subject, clientId } = wanted
  for (const operation of asked.leniencies) recordEvent(request, { type: 'leniency.used', operation, subject, clientId })
  recordEvent(request, { type: 'authorization.requested', ...factsOf(opened.grant), scopesAsked: wanted.scopes })
  return opened
}

function askForConsent (request: FastifyRequest, reply: FastifyReply, { context, client, user, opened }: {
  readonly context: OAuthContext
  readonly client: Client
  readonly user: SignedInUser
  readonly opened: OpenedAuthorization
}): FastifyReply {
  const { store } = context
  const { grant, handle } = opened
  const csrf = csrfToken(store.secrets, csrfPartsOf(readBrowserId(request, reply), grant.grantId))
  const model = buildConsentModel(context, { client, grant, user, handle, csrf, now: store.clock() })
  return sendPage(reply, { status: 200, html: consentPage(model), formActions: [grant.redirectUri, 'https:'] })
}

/**
 * `GET /authorize` (RFC 6749 §3.1, AS-A1 to AS-A18): who asks, what for, who is signed in, and then the consent page,
 * unless the user has agreed to the same before and that is remembered. Errors go to a redirect URI only where that is
 * known to be the client's own and safe to follow.
 */
export function authorizationEndpoint (scope: FastifyInstance, context: OAuthContext): void {
  const { path: url } = context.endpoints.authorization
  const { clock, secrets, grants: { consents } } = context.store
  const errorHandler = answerErrorPages('authorization.refused', context.resourceName)

  scope.get(url, { exposeHeadRoute: false, config: CONFIG, errorHandler }, async (request, reply) => {
    const input = await readInput(request.url, context)
    const { form } = input
    // Read leniently, as it also matters for requests that are wrong elsewhere.
    const wish = signInWishOf(form)
    const { silent } = wish
    const fresh = signInSince(wish, { path: url, url: request.url, secrets, now: clock() })
    if ('begin' in fresh) return redirectTo(reply, fresh.begin)
    const { since } = fresh
    const ask = () => askWhoIsSignedIn(context.signIn, { request, reply, ...situationOf(wish, since) })
    const first = mustBeFetched(form, context) ? await ask() : null
    if (first?.answered === true) return reply
    if (first?.user === null) throw signInFirst
    const target = await findTarget(request, form, { context, user: first?.user ?? null })
    const asked = tryToRead(input, target.client, context)
    const refuse = (error: OAuthError) =>
      refuseToClient(request, reply, { context, target, state: stateOf(form), error })
    if (asked instanceof OAuthError && isOperatorsClient(target.client)) return refuse(asked)

    const signIn = first ?? await ask()
    if (signIn.answered) return reply
    const { user } = signIn
    if (silent && user === null) return refuse(asked instanceof OAuthError ? asked : loginRequired)
    if (user === null) throw signInFirst
    if (asked instanceof OAuthError) return refuse(asked)
    const unmet = whyUnmet(user, wish, since)
    if (unmet !== null) return refuse(unmet)
    if (await isNameOfClient(user.subject, { clients: context.clients, now: clock() })) return refuse(namedLikeClient)

    const { client } = target
    const wanted = wantedOf({ context, target, asked, user })
    const terms = consents.termsOf(client, wanted)
    const known = !isPageWanted(form) && await consents.covers(wanted, terms, clock())
    if (silent && !known) return refuse(consentRequired)
    await input.use()
    // How long ago the user agreed counts from the page, so what is known is not remembered anew.
    const opened = await openAuthorization(request, { context, asked, wanted, terms: known ? null : terms })
    const code = known ? await codeOfRemembered(request, { context, client, wanted, terms, opened }) : null
    if (code !== null) return redirectWithCode(reply, { context, grant: opened.grant, code })
    return silent ? refuse(consentRequired) : askForConsent(request, reply, { context, client, user, opened })
  })
  refuseOtherMethods(scope, {
    url, allow: ['GET'], config: CONFIG, errorHandler: answerOAuthErrors('authorization.refused')
  })
}
