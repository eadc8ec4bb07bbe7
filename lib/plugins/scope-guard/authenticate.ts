import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import type { AuthInfo } from '../../../types/auth-info.js'
import type { Principal } from '../../../types/principal.js'
import { whyNotAdmitted } from '../../access/admission.js'
import { isB64Token, readBearer } from '../../protocol/bearer.js'
import { StoreUnavailableError } from '../../stores/errors.js'
import { InvalidTokenError } from '../../tokens/errors.js'
import { recordEvent } from '../support/record-event.js'
import { sendRefusal, UNAVAILABLE, type Audience, type Challenges, type Refusal } from './refusals.js'
import type { IsMcp } from './routes.js'
import type { Settings } from './settings.js'

interface Shown {
  readonly token: string
  readonly principal: Principal
}

const RPC: Audience = { rpc: true, id: null }
const PLAIN: Audience = { rpc: false }

/** What the MCP SDK's handlers read. `resource` is one object for all requests: not to be changed. */
function authInfoOf (shown: Shown, resource: URL): AuthInfo {
  const { token, principal } = shown
  const { clientId, scopes, expiresAt } = principal
  const info: AuthInfo = { token, clientId, scopes: [...scopes], resource, extra: { principal } }
  if (expiresAt !== null) info.expiresAt = expiresAt
  return info
}

/**
 * The hook that asks every request of the scope for its token before anything else of it is looked at, its method,
 * type and body included (requirements 0). Synchronous for a token that is remembered.
 */
export function buildAuthenticate (input: { settings: Settings, challenges: Challenges, isMcp: IsMcp }) {
  const { settings: { verifier, clock, resource }, challenges, isMcp } = input
  const resourceUrl = new URL(resource)

  function turnAway (request: FastifyRequest, reply: FastifyReply, refusal: Refusal, reason: string): void {
    recordEvent(request, { type: 'access.denied', reason, resource })
    sendRefusal(reply, refusal, isMcp(request.routeOptions.url) ? RPC : PLAIN)
  }

  /** Answers whether the request may go on; otherwise it is answered. */
  function admit (request: FastifyRequest, reply: FastifyReply, shown: Shown, now: number): boolean {
    const reason = whyNotAdmitted(shown.principal, { resource, now })
    if (reason !== null) {
      turnAway(request, reply, challenges.badToken, reason)
      return false
    }
    request.mcpAuth = shown.principal
    request.raw.auth = authInfoOf(shown, resourceUrl)
    return true
  }

  /** Whatever goes wrong inside of a verifier, other than a bad token, is not the client's fault, and not a pass. */
  function turnAwayFor (request: FastifyRequest, reply: FastifyReply, error: unknown): void {
    if (error instanceof InvalidTokenError) {
      turnAway(request, reply, challenges.badToken, error.reason)
      return
    }
    const expected = error instanceof StoreUnavailableError
    if (!expected) request.log.error({ err: error }, 'the token verifier failed')
    turnAway(request, reply, UNAVAILABLE, expected ? 'store unavailable' : 'verifier failed')
  }

  async function verify (request: FastifyRequest, reply: FastifyReply, token: string): Promise<boolean> {
    try {
      const principal = await verifier.verify(token, clock())
      // It may have taken so long that the token is dead now.
      return admit(request, reply, { token, principal }, clock())
    } catch (error) {
      turnAwayFor(request, reply, error)
      return false
    }
  }

  // A callback hook that has answered never calls `done`, so nothing that comes later can run.
  return function authenticate (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
    if (request.routeOptions.config.mcpSecurity?.public === true) { done(); return }
    const credentials = readBearer(request.raw.rawHeaders)
    if (credentials.type === 'none') { turnAway(request, reply, challenges.noToken, 'no token'); return }
    if (credentials.type === 'malformed') {
      const refusal = credentials.status === 400 ? challenges.badRequest : challenges.badToken
      turnAway(request, reply, refusal, credentials.reason)
      return
    }
    const { token } = credentials
    const now = clock()
    const principal = verifier.recall(token, now)
    if (principal !== undefined) {
      if (admit(request, reply, { token, principal }, now)) done()
    } else if (isB64Token(token)) {
      verify(request, reply, token).then((admitted) => { if (admitted) done() }, done)
    } else {
      turnAway(request, reply, challenges.badToken, 'not a bearer token')
    }
  }
}
