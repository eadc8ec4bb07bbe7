import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { verifyCsrf } from '../../identity/csrf.js'
import type { RequestedGrant } from '../../oauth/consent.js'
import { factsOf } from '../../oauth/token-refusal.js'
import { assertNoRepeats, single, type Form } from '../../protocol/form.js'
import { OAuthError } from '../../protocol/oauth-error.js'
import { buildRedirect } from '../../protocol/redirect-uri.js'
import { formOf } from '../support/body-parsers.js'
import { readBrowserId } from '../support/browser-cookie.js'
import { refuseOtherMethods } from '../support/other-methods.js'
import { recordEvent } from '../support/record-event.js'
import { isSameOrigin } from '../support/same-origin.js'
import { csrfPartsOf } from './authorize.js'
import { redirectToClient } from './authorization-response.js'
import { consentedBy } from './consent-model.js'
import type { OAuthContext } from './context.js'
import { answerErrorPages } from './page-errors.js'
import { askWhoIsSignedIn, signInFirst } from './signed-in-user.js'

const CONFIG = { mcpSecurity: { public: true }, mcpLimit: 'sensitive', mcpPage: true } as const

const foreign = (reason: string): OAuthError =>
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
  if (!isSameOrigin(request, origin)) throw foreign('foreign origin')
  const grant = await store.grants.findRequested(handle, store.clock())
  if (grant === null) throw stale('unknown transaction')
  const parts = csrfPartsOf(readBrowserId(request, reply), grant.grantId)
  if (!verifyCsrf(store.secrets, parts, single(form, 'csrf'))) throw foreign('wrong csrf token')
  return grant
}

async function allow (
  request: FastifyRequest, { handle, ticked }: Answer, grant: RequestedGrant, context: OAuthContext
): Promise<{ code: string }> {
  const { store, clients } = context
  const now = store.clock()
  const client = await clients.find(grant.clientId, now)
  if (client === null) throw stale('client is gone')
  const scopes = grant.scopes.filter((scope) => ticked.includes(scope))
  const { consented: opened = [] } = consentedBy({ ...grant, scopes }, context)
  const approved = await store.grants.approve({ handle, subject: grant.subject, scopes: ticked, opened }, now)
  if (approved === null) throw stale('decided before')
  await clients.keepAlive(client, now)
  const scopesGranted = approved.grant.scopes
  recordEvent(request, { type: 'consent.granted', ...factsOf(grant), scopesAsked: grant.scopes, scopesGranted })
  return { code: approved.code }
}

async function deny (
  request: FastifyRequest, { handle, allowed }: Answer, grant: RequestedGrant, { store }: OAuthContext
): Promise<{ error: string }> {
  const denied = await store.grants.deny({ handle, subject: grant.subject }, store.clock())
  if (denied === null) throw stale('decided before')
  const reason = allowed ? 'nothing ticked' : 'denied by the user'
  recordEvent(request, { type: 'consent.denied', reason, ...factsOf(grant), scopesAsked: grant.scopes })
  return { error: 'access_denied' }
}

/**
 * `POST /authorize/consent`: the user's answer to the consent page (AS-C2, AS-C4, AS-C5). Only the ticks and the
 * decision are taken from the form; everything else is what was asked for. Sends the browser on with a code, or with
 * `access_denied` when the user denied or ticked nothing. Whatever does not fit is a page, and approves nothing.
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
    if (signIn.user.subject !== grant.subject) throw foreign('another user is signed in')

    const ticked = answer.allowed && answer.ticked.some((name) => grant.scopes.includes(name))
    const result = ticked ? await allow(request, answer, grant, context) : await deny(request, answer, grant, context)
    return redirectToClient(reply, buildRedirect(grant.redirectUri, {
      ...result, state: grant.state ?? undefined, iss: context.issuer
    }))
  })
  refuseOtherMethods(scope, { url, allow: ['POST'], config: CONFIG, errorHandler })
}
