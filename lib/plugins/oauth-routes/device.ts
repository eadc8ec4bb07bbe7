import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { readUserCode, showUserCode } from '../../crypto/user-code.js'
import { csrfToken, verifyCsrf } from '../../identity/csrf.js'
import { isNameOfClient } from '../../oauth/client-scopes.js'
import type { DeviceAuthorization } from '../../oauth/device-authorizations.js'
import { factsOf } from '../../oauth/token-refusal.js'
import { consentPage } from '../../pages/consent-page.js'
import { devicePage } from '../../pages/device-page.js'
import { assertNoRepeats, formOfQuery, single } from '../../protocol/form.js'
import type { Client } from '../../../types/oauth.js'
import type { SignedInUser } from '../../../types/sign-in.js'
import { formOf } from '../support/body-parsers.js'
import { readBrowserId } from '../support/browser-cookie.js'
import { refuseOtherMethods } from '../support/other-methods.js'
import { recordEvent } from '../support/record-event.js'
import { isSameOrigin } from '../support/same-origin.js'
import { sendPage } from '../support/send-page.js'
import { csrfPartsOf } from './authorize.js'
import { buildConsentModel, consentedBy, inWords } from './consent-model.js'
import { foreignForm } from './consent.js'
import type { DeviceContext, OAuthContext } from './context.js'
import { answerErrorPages } from './page-errors.js'
import { askWhoIsSignedIn, namedLikeClient, signInFirst } from './signed-in-user.js'

const CONFIG = { mcpSecurity: { public: true }, mcpLimit: 'sensitive', mcpPage: true } as const

const NO_CODE = 'A code has eight letters. Look at your device again.'
const UNKNOWN = 'No device is waiting under this code. Look at it again, or start again on the device.'
const TOO_MANY = 'Too many codes were entered. Wait a few minutes, then start again on the device.'

/** What a person sees who was told to type a code (RFC 8628 §3.3). */
interface Visit {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly context: OAuthContext
  readonly user: SignedInUser
}

const csrfPartsFor = ({ request, reply }: Pick<Visit, 'request' | 'reply'>): string[] =>
  ['device', readBrowserId(request, reply)]

function showEntry (visit: Visit, { status, userCode, error }: {
  readonly status: number
  readonly userCode: string | null
  readonly error?: string
}): FastifyReply {
  const { reply, context, user: { subject, name = subject, signOutAction } } = visit
  const html = devicePage({
    user: name,
    action: context.endpoints.device.path,
    csrf: csrfToken(context.store.secrets, csrfPartsFor(visit)),
    ...(userCode === null ? {} : { userCode: showUserCode(userCode) }),
    ...(error === undefined ? {} : { error }),
    site: context.resourceName,
    ...(signOutAction === undefined ? {} : { signOutAction })
  })
  return sendPage(reply, { status, html })
}

/** Refuses a code, and shows the page for another try. */
function refuseEntry (visit: Visit, { status, userCode, reason, error }: {
  readonly status: number
  readonly userCode: string | null
  readonly reason: string
  readonly error: string
}): FastifyReply {
  const { request, user: { subject } } = visit
  recordEvent(request, { type: 'authorization.refused', operation: 'device_code', reason, subject })
  return showEntry(visit, { status, userCode, error })
}

/** Opens an authorization for what the device asked and asks the user, always: nobody's consent is remembered here. */
async function askForConsent (visit: Visit, { userCode, asked, client, networkOf }: {
  readonly userCode: string
  readonly asked: DeviceAuthorization
  readonly client: Client
  readonly networkOf: DeviceContext['networkOf']
}): Promise<FastifyReply> {
  const { request, reply, context, user } = visit
  const { store } = context
  const { deviceId, endsAt, askedAt, clientId, network, decision, ...access } = asked
  const { subject, authenticatedAt = null, acr = null, amr = [] } = user
  const now = store.clock()
  if (await isNameOfClient(subject, { clients: context.clients, now })) throw namedLikeClient
  const { grant, handle } = await store.grants.request({
    ...access,
    clientId,
    subject,
    redirectUri: '',
    codeChallenge: '',
    state: null,
    authenticatedAt,
    acr,
    amr,
    device: { deviceId, endsAt },
    ...consentedBy(access, context)
  }, now)
  recordEvent(request, {
    type: 'authorization.requested', operation: 'device_code', ...factsOf(grant), scopesAsked: access.scopes
  })
  const csrf = csrfToken(store.secrets, csrfPartsOf(readBrowserId(request, reply), grant.grantId))
  const isHere = networkOf(request.ip) === network
  const device = { userCode: showUserCode(userCode), network, isHere, askedAgo: inWords(now - askedAt) }
  const model = buildConsentModel(context, { client, grant, user, handle, csrf, now, device })
  return sendPage(reply, { status: 200, html: consentPage(model) })
}

/** Looks a typed code up, unless too many were typed. */
async function enter (visit: Visit, typed: string, devices: DeviceContext): Promise<FastifyReply> {
  const { authorizations, networkOf } = devices
  const { reply, context: { store, clients }, user: { subject } } = visit
  const now = store.clock()
  const userCode = readUserCode(typed)
  if (userCode === null) return refuseEntry(visit, { status: 400, userCode, reason: 'no user code', error: NO_CODE })
  const wait = await authorizations.countEntry(subject, now)
  if (wait > 0) {
    reply.header('retry-after', String(wait))
    return refuseEntry(visit, { status: 429, userCode, reason: 'too many user codes', error: TOO_MANY })
  }
  const asked = await authorizations.findByUserCode(userCode, now)
  const client = asked === null ? null : await clients.find(asked.clientId, now)
  if (asked === null || client === null) {
    return refuseEntry(visit, { status: 400, userCode, reason: 'unknown user code', error: UNKNOWN })
  }
  return await askForConsent(visit, { userCode, asked, client, networkOf })
}

/**
 * `/device`, where a signed-in person types the code that a device shows, and is then asked like everybody else
 * (RFC 8628 §3.3). A link that brings the code only fills it in: it is never taken without a click, since links come
 * from anybody (§5.4). Guesses are counted by user and in total.
 */
export function deviceEndpoint (scope: FastifyInstance, context: OAuthContext, devices: DeviceContext): void {
  const { store, origin, endpoints: { device: { path: url } } } = context
  const errorHandler = answerErrorPages('authorization.refused', context.resourceName)
  const routing = { config: CONFIG, errorHandler }

  scope.get(url, { exposeHeadRoute: false, ...routing }, async (request, reply) => {
    const signIn = await askWhoIsSignedIn(context.signIn, { request, reply, interactive: true })
    if (signIn.answered) return reply
    if (signIn.user === null) throw signInFirst
    const userCode = readUserCode(single(formOfQuery(request.url), 'user_code') ?? '')
    return showEntry({ request, reply, context, user: signIn.user }, { status: 200, userCode })
  })

  scope.post(url, routing, async (request, reply) => {
    const form = formOf(request)
    assertNoRepeats(form)
    if (!isSameOrigin(request, origin)) throw foreignForm('foreign origin')
    if (!verifyCsrf(store.secrets, csrfPartsFor({ request, reply }), single(form, 'csrf'))) {
      throw foreignForm('wrong csrf token')
    }
    const signIn = await askWhoIsSignedIn(context.signIn, { request, reply, interactive: false })
    if (signIn.answered) return reply
    if (signIn.user === null) throw signInFirst
    return await enter({ request, reply, context, user: signIn.user }, single(form, 'user_code') ?? '', devices)
  })
  refuseOtherMethods(scope, { url, allow: ['GET', 'POST'], ...routing })
}
