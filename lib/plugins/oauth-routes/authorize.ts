import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { csrfToken } from '../../identity/csrf.js'
import { isOperatorsClient } from '../../oauth/client-scopes.js'
import { factsOf } from '../../oauth/token-refusal.js'
import { consentPage } from '../../pages/consent-page.js'
import { stateOf, type AuthorizationRequest } from '../../protocol/authorization-request.js'
import type { Form } from '../../protocol/form.js'
import { OAuthError } from '../../protocol/oauth-error.js'
import type { Client } from '../../../types/oauth.js'
import type { SignedInUser } from '../../../types/sign-in.js'
import { readBrowserId } from '../support/browser-cookie.js'
import { refuseOtherMethods } from '../support/other-methods.js'
import { recordEvent } from '../support/record-event.js'
import { refusalOf } from '../support/refusal.js'
import { sendPage } from '../support/send-page.js'
import { readInput, readRequest, type AuthorizationInput } from './authorization-input.js'
import { refuseToClient } from './authorization-response.js'
import { findTarget, mustBeFetched, type AuthorizationTarget } from './authorization-target.js'
import { buildConsentModel, consentedBy } from './consent-model.js'
import type { OAuthContext } from './context.js'
import { answerOAuthErrors } from './oauth-errors.js'
import { answerErrorPages } from './page-errors.js'
import { askWhoIsSignedIn, signInFirst } from './signed-in-user.js'

const CONFIG = { mcpSecurity: { public: true }, mcpLimit: 'sensitive', mcpPage: true } as const

const loginRequired = new OAuthError({ code: 'login_required', description: 'nobody is signed in' })
const consentRequired = new OAuthError({ code: 'consent_required', description: 'consent is always asked for' })

/** What a consent page's token is bound to: this purpose, this browser, this authorization (AS-C2). */
export const csrfPartsOf = (browserId: string, grantId: string): string[] => ['consent', browserId, grantId]

/** `prompt=none`: no page may come up. Read leniently, as it also matters for requests that are wrong elsewhere. */
const isSilent = (form: Form): boolean => form.get('prompt')?.some((value) => value.split(' ').includes('none')) === true

function tryToRead (
  input: AuthorizationInput, client: Client, context: OAuthContext
): AuthorizationRequest | OAuthError {
  try {
    return readRequest(input, client, context)
  } catch (error) {
    return refusalOf(error)
  }
}

/** Opens an authorization and asks the user. The first write of the whole flow: until here nobody was signed in. */
async function askForConsent (request: FastifyRequest, reply: FastifyReply, { context, target, asked, user }: {
  readonly context: OAuthContext
  readonly target: AuthorizationTarget
  readonly asked: AuthorizationRequest
  readonly user: SignedInUser
}): Promise<FastifyReply> {
  const { store } = context
  const { client, redirectUri } = target
  const { scopes, resource, furtherResources, codeChallenge, codeKey, leniencies } = asked
  const { subject, authenticatedAt, acr = null, amr = [] } = user
  const { clientId } = client
  const now = store.clock()
  const { grant, handle } = await store.grants.request({
    clientId,
    subject,
    redirectUri,
    resource,
    ...(furtherResources.length === 0 ? {} : { furtherResources }),
    scopes,
    codeChallenge,
    ...(codeKey === undefined || context.dpop === null ? {} : { codeKey }),
    state: asked.state ?? null,
    authenticatedAt: authenticatedAt ?? now,
    acr,
    amr,
    ...consentedBy(asked, context)
  }, now)
  for (const operation of leniencies) recordEvent(request, { type: 'leniency.used', operation, subject, clientId })
  recordEvent(request, { type: 'authorization.requested', ...factsOf(grant), scopesAsked: scopes })
  const csrf = csrfToken(store.secrets, csrfPartsOf(readBrowserId(request, reply), grant.grantId))
  const model = buildConsentModel(context, { client, grant, user, handle, csrf, now })
  return sendPage(reply, { status: 200, html: consentPage(model), formActions: [redirectUri, 'https:'] })
}

/**
 * `GET /authorize` (RFC 6749 §3.1, AS-A1 to AS-A18): who asks, what for, who is signed in, and then always the consent
 * page. Errors go to a redirect URI only where that is known to be the client's own and safe to follow.
 */
export function authorizationEndpoint (scope: FastifyInstance, context: OAuthContext): void {
  const { path: url } = context.endpoints.authorization
  const errorHandler = answerErrorPages('authorization.refused', context.resourceName)

  scope.get(url, { exposeHeadRoute: false, config: CONFIG, errorHandler }, async (request, reply) => {
    const input = await readInput(request.url, context)
    const { form } = input
    const silent = isSilent(form)
    const ask = () => askWhoIsSignedIn(context.signIn, { request, reply, interactive: !silent })
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
    if (silent) return refuse(asked instanceof OAuthError ? asked : user === null ? loginRequired : consentRequired)
    if (user === null) throw signInFirst
    if (asked instanceof OAuthError) return refuse(asked)
    await input.use()
    return await askForConsent(request, reply, { context, target, asked, user })
  })
  refuseOtherMethods(scope, {
    url, allow: ['GET'], config: CONFIG, errorHandler: answerOAuthErrors('authorization.refused')
  })
}
