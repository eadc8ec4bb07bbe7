import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import type { AuthInfo } from '../../../types/auth-info.js'
import { whyNotAdmitted } from '../../access/admission.js'
import { isB64Token, readBearer, type BearerCredentials } from '../../protocol/bearer.js'
import { OAuthError } from '../../protocol/oauth-error.js'
import { StoreUnavailableError } from '../../stores/errors.js'
import { InvalidTokenError, VerifierUnavailableError } from '../../tokens/errors.js'
import { ADMISSION } from './admission.js'
import { UNAVAILABLE, type Challenges } from './refusals.js'
import type { IsMcp } from './routes.js'
import { buildSenderCheck, type Shown } from './sender.js'
import type { Settings } from './settings.js'
import { buildTurnAway } from './turn-away.js'

/** What the MCP SDK's handlers read. `resource` is one object for all requests: not to be changed. */
function authInfoOf (shown: Shown, resource: URL): AuthInfo {
  const { token, principal } = shown
  const { clientId, scopes, expiresAt } = principal
  const info: AuthInfo = { token, clientId, scopes: [...scopes], resource, extra: { principal } }
  if (expiresAt !== null) info.expiresAt = expiresAt
  return info
}

function whyUnavailable (error: unknown): string {
  if (error instanceof VerifierUnavailableError) return error.reason
  return error instanceof StoreUnavailableError ? 'store unavailable' : 'verifier failed'
}

/**
 * The hook that asks every request of the scope for its token before anything else of it is looked at, its method,
 * type and body included (requirements 0). Synchronous for a token that is remembered.
 */
export function buildAuthenticate (input: { settings: Settings, challenges: Challenges, isMcp: IsMcp }) {
  const { settings, challenges, isMcp } = input
  const { authentication, verifier, clock, resource, sender: { dpop, required: senderConstrained } } = settings
  const resourceUrl = new URL(resource)
  const assertSender = buildSenderCheck({ settings, isMcp })
  const { turnAway, badTokenFor } = buildTurnAway(input)

  const ofProof = {
    invalid_dpop_proof: challenges.badProof,
    use_dpop_nonce: challenges.nonceNeeded,
    invalid_token: challenges.badBoundToken
  }
  const isOfProof = (code: string): code is keyof typeof ofProof => Object.hasOwn(ofProof, code)

  function isAdmissible (request: FastifyRequest, reply: FastifyReply, shown: Shown, now: number): boolean {
    const reason = whyNotAdmitted(shown.principal, { resource, now, senderConstrained })
    if (reason === null) return true
    const isUnbound = reason === 'not sender-constrained'
    turnAway(request, reply, isUnbound ? challenges.notSenderConstrained : badTokenFor(shown), reason)
    return false
  }

  function letIn (request: FastifyRequest, shown: Shown, at: number): true {
    request[ADMISSION] = { shown, at }
    request.mcpAuth = shown.principal
    request.raw.auth = authInfoOf(shown, resourceUrl)
    return true
  }

  /** Answers whether the request may go on; otherwise it is answered. */
  function admit (
    request: FastifyRequest, reply: FastifyReply, shown: Shown, now: number
  ): boolean | Promise<boolean> {
    if (!isAdmissible(request, reply, shown, now)) return false
    const isBearer = shown.scheme === 'bearer' && shown.principal.confirmation === null
    return isBearer ? letIn(request, shown, now) : prove(request, reply, shown, now)
  }

  async function prove (request: FastifyRequest, reply: FastifyReply, shown: Shown, now: number): Promise<boolean> {
    try {
      await assertSender(request, shown, now)
    } catch (error) {
      turnAwayFor(request, reply, error, shown)
      return false
    }
    // A store may have been asked for so long that the token is dead now.
    const later = clock()
    return isAdmissible(request, reply, shown, later) && letIn(request, shown, later)
  }

  /** A request without a token: nobody's, unless authentication is off. */
  function admitAnonymous (request: FastifyRequest, reply: FastifyReply): boolean {
    const principal = authentication.anonymousFor(request)
    if (typeof principal === 'string') {
      turnAway(request, reply, challenges.noToken, principal)
      return false
    }
    const shown: Shown = { token: '', scheme: 'bearer', principal }
    const now = clock()
    return isAdmissible(request, reply, shown, now) && letIn(request, shown, now)
  }

  /** Whatever goes wrong, other than a bad token or proof, is not the client's fault, and not a pass. */
  function turnAwayFor (
    request: FastifyRequest, reply: FastifyReply, error: unknown, shown: Pick<Shown, 'scheme'>
  ): void {
    if (error instanceof InvalidTokenError) {
      turnAway(request, reply, badTokenFor(shown), error.reason)
      return
    }
    if (error instanceof OAuthError && isOfProof(error.code)) {
      turnAway(request, reply, ofProof[error.code], error.reason)
      return
    }
    if (!(error instanceof StoreUnavailableError)) request.log.error({ err: error }, 'the token verifier failed')
    turnAway(request, reply, UNAVAILABLE, whyUnavailable(error))
  }

  /** On every answer, also one that a handler writes by itself: clients keep the newest (RFC 9449 §8.2, EX-23). */
  function bringNonce (reply: FastifyReply): void {
    const nonces = dpop?.nonces ?? null
    if (nonces !== null) reply.raw.setHeader('dpop-nonce', nonces.current(clock()))
  }

  async function verify (
    request: FastifyRequest, reply: FastifyReply, shown: Pick<Shown, 'token' | 'scheme'>
  ): Promise<boolean> {
    try {
      const principal = await verifier.verify(shown.token, clock())
      // It may have taken so long that the token is dead now.
      return await admit(request, reply, { ...shown, principal }, clock())
    } catch (error) {
      turnAwayFor(request, reply, error, shown)
      return false
    }
  }

  /** `undefined` for a token that is not remembered. */
  function recall (
    request: FastifyRequest, reply: FastifyReply, shown: Pick<Shown, 'token' | 'scheme'>, now: number
  ): ReturnType<typeof admit> | undefined {
    const { token, scheme } = shown
    try {
      const principal = verifier.recall(token, now)
      return principal === undefined ? undefined : admit(request, reply, { token, scheme, principal }, now)
    } catch (error) {
      // Thrown on, what is no Error would be Fastify's answer, or none.
      turnAwayFor(request, reply, error, shown)
      return false
    }
  }

  // A callback hook that has answered never calls `done`, so nothing that comes later can run.
  return function authenticate (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
    if (request.routeOptions.config.mcpSecurity?.public === true) { done(); return }
    const credentials = readBearer(request.raw.rawHeaders)
    if (credentials.type === 'none' || (dpop === null && isDpop(credentials))) {
      if (admitAnonymous(request, reply)) done()
      return
    }
    if (credentials.type === 'malformed') {
      const refusal = credentials.status === 400 ? challenges.badRequest : challenges.badToken
      turnAway(request, reply, refusal, credentials.reason)
      return
    }
    const { token, scheme } = credentials
    if (scheme === 'dpop') bringNonce(reply)
    const now = clock()
    const admitted = recall(request, reply, credentials, now)
    if (admitted === true) done()
    else if (admitted === undefined) {
      if (isB64Token(token)) goOn(verify(request, reply, { token, scheme }), done)
      else turnAway(request, reply, badTokenFor(credentials), 'not a bearer token')
    } else if (admitted !== false) goOn(admitted, done)
  }
}

const isDpop = (credentials: BearerCredentials): boolean =>
  credentials.type === 'token' && credentials.scheme === 'dpop'

function goOn (admitted: Promise<boolean>, done: HookHandlerDoneFunction): void {
  admitted.then((isIn) => { if (isIn) done() }, done)
}
