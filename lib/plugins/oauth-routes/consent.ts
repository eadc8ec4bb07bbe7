import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { verifyCsrf } from '../../identity/csrf.js'
import type { RequestedGrant } from '../../oauth/consent.js'
import { factsOf } from '../../oauth/token-refusal.js'
import { noticePage } from '../../pages/notice-page.js'
import { assertNoRepeats, single, type Form } from '../../protocol/form.js'
import { OAuthError } from '../../protocol/oauth-error.js'
import { buildRedirect, matchRedirectUri } from '../../protocol/redirect-uri.js'
import type { Client, Grant } from '../../../types/oauth.js'
import { formOf } from '../support/body-parsers.js'
import { readBrowserId } from '../support/browser-cookie.js'
import { refuseOtherMethods } from '../support/other-methods.js'
import { recordEvent } from '../support/record-event.js'
import { isSameOrigin } from '../support/same-origin.js'
import { sendPage } from '../support/send-page.js'
import { csrfPartsOf } from './authorize.js'
import { redirectTo } from './authorization-response.js'
import { consentedBy } from './consent-model.js'
import type { OAuthContext } from './context.js'
import { answerErrorPages } from './page-errors.js'
import { askWhoIsSignedIn, signInFirst } from './signed-in-user.js'

const CONFIG = { mcpSecurity: { public: true }, mcpLimit: 'sensitive', mcpPage: true } as const

/** For a form that did not come from a page that we gave to this browser and user. */
export const foreignForm = (reason: string): OAuthError =>
  new OAuthError({ code: 'access_denied', description: 'the form is not ours', reason, status: 403 })
const stale = (reason: string): OAuthError =>
  new OAuthError({ code: 'invalid_request', description: 'this page has expired or was answered before', reason })

interface Answer {
  readonly handle: string
  readonly allowed: boolean
  readonly ticked: readonly string[]
}

function readAnswer (form: Form): Answer {
  assertNoRepeats(form, ['scope'])
  const decision = single(form, 'decision')
  if (decision !== 'allow' && decision !== 'deny') {
    throw new OAuthError({ code: 'invalid_request', description: 'the form holds no decision' })
  }
  return { handle: single(form, 'transaction') ?? '', allowed: decision === 'allow', ticked: form.get('scope') ?? [] }
}

/** The authorization that this form is about, once it is known to come from the page that we gave to this browser. */
async function findGrant (request: FastifyRequest, reply: FastifyReply, form: Form, { handle, context }: {
  readonly handle: string
  readonly context: OAuthContext
}): Promise<RequestedGrant> {
  const { store, origin } = context
  if (!isSameOrigin(request, origin)) throw foreignForm('foreign origin')
  const grant = await store.grants.findRequested(handle, store.clock())
  if (grant === null) throw stale('unknown transaction')
  const parts = csrfPartsOf(readBrowserId(request, reply), grant.grantId)
  if (!verifyCsrf(store.secrets, parts, single(form, 'csrf'))) throw foreignForm('wrong csrf token')
  return grant
}

/** A device asked, and gets the answer that was first: of several pages for one code, the others are too late. */
async function tellDevice ({ device }: Grant, grantId: string | null, { devices, store }: OAuthContext): Promise<void> {
  if (device === undefined) return
  const told = await devices?.authorizations.decide(device.deviceId, { grantId }, store.clock())
  if (told !== true) throw stale('decided before')
}

/** Where a device asked nobody is sent anywhere. */
function backToDevice (reply: FastifyReply, isAllowed: boolean, site: string): FastifyReply {
  const [title, message] = isAllowed
    ? ['Your device is connected', 'It goes on by itself in a few seconds. You can close this page.']
    : ['Nothing was allowed', 'Your device gets nothing. You can close this page.']
  return sendPage(reply, { status: 200, html: noticePage({ title, message, site }) })
}

/** A document may name others since the page was shown. */
function isStillRegistered (
  { redirectUri: requested }: Grant, { metadata: { redirect_uris: registered } }: Client, { tokens }: OAuthContext
): boolean {
  const { leniencies: { localhostAnyPort } } = tokens
  return matchRedirectUri({ registered, requested, localhostAnyPort })
}

async function allow (
  request: FastifyRequest, { handle, ticked }: Answer, grant: RequestedGrant, context: OAuthContext
): Promise<{ code: string }> {
  const { store, clients } = context
  const now = store.clock()
  const client = await clients.find(grant.clientId, now)
  if (client === null) throw stale('client is gone')
  if (grant.device === undefined && !isStillRegistered(grant, client, context)) throw stale('redirect URI is gone')
  const scopes = grant.scopes.filter((scope) => ticked.includes(scope))
  const { consented: opened = [] } = consentedBy({ ...grant, scopes }, context)
  const approved = await store.grants.approve({ handle, subject: grant.subject, scopes: ticked, opened }, now)
  if (approved === null) throw stale('decided before')
  await tellDevice(grant, grant.grantId, context)
  await clients.keepAlive(client, now)
  const scopesGranted = approved.grant.scopes
  recordEvent(request, { type: 'consent.granted', ...factsOf(grant), scopesAsked: grant.scopes, scopesGranted })
  return { code: approved.code }
}

async function deny (
  request: FastifyRequest, { handle, allowed }: Answer, grant: RequestedGrant, context: OAuthContext
): Promise<{ error: string }> {
  const { store } = context
  await tellDevice(grant, null, context)
  const denied = await store.grants.deny({ handle, subject: grant.subject }, store.clock())
  if (denied === null) throw stale('decided before')
  const reason = allowed ? 'nothing ticked' : 'denied by the user'
  recordEvent(request, { type: 'consent.denied', reason, ...factsOf(grant), scopesAsked: grant.scopes })
  return { error: 'access_denied' }
}

/**
 * `POST /authorize/consent`: the user's answer to the consent page (AS-C2, AS-C4, AS-C5). Only the ticks and the
 * decision are taken from the form; everything else is what was asked for. Sends the browser on with a code, or with
 * `access_denied` when the user denied or ticked nothing; a device asks for its answer itself. Whatever does not fit is
 * a page, and approves nothing.
 */
export function consentEndpoint (scope: FastifyInstance, context: OAuthContext): void {
  const url = `${context.endpoints.authorization.path}/consent`
  const errorHandler = answerErrorPages('consent.refused', context.resourceName)

  scope.post(url, { config: CONFIG, errorHandler }, async (request, reply) => {
    const form = formOf(request)
    const answer = readAnswer(form)
    const grant = await findGrant(request, reply, form, { handle: answer.handle, context })
    const signIn = await askWhoIsSignedIn(context.signIn, { request, reply, interactive: false })
    if (signIn.answered) return reply
    if (signIn.user === null) throw signInFirst
    if (signIn.user.subject !== grant.subject) throw foreignForm('another user is signed in')

    const ticked = answer.allowed && answer.ticked.some((name) => grant.scopes.includes(name))
    const result = ticked ? await allow(request, answer, grant, context) : await deny(request, answer, grant, context)
    if (grant.device !== undefined) return backToDevice(reply, ticked, context.resourceName)
    return redirectTo(reply, buildRedirect(grant.redirectUri, {
      ...result, state: grant.state ?? undefined, iss: context.issuer
    }))
  })
  refuseOtherMethods(scope, { url, allow: ['POST'], config: CONFIG, errorHandler })
}
