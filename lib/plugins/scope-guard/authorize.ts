import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import type { Decision, Operation } from '../../../types/access.js'
import type { Principal } from '../../../types/principal.js'
import { decide } from '../../access/decide.js'
import { readOperations } from '../../protocol/mcp-message.js'
import { reportDecisions, reportUnread, type Decided } from './report.js'
import {
  MALFORMED, sendRefusal, UNKNOWN_COMPONENT, UNKNOWN_METHOD, WRONG_TYPE, type Audience, type Challenges, type Refusal
} from './refusals.js'
import type { IsMcp } from './routes.js'
import type { Settings } from './settings.js'

interface Wish {
  readonly operations: readonly Operation[]
  readonly audience: Audience
}

/** A wish that could not be read. */
interface Unread {
  readonly refusal: Refusal
  readonly reason: string
  readonly audience: Audience
}

const PLAIN: Audience = { rpc: false }
const RPC: Audience = { rpc: true, id: null }
const NO_SCOPES: readonly string[] = []

/** What a request to the MCP endpoint wants: all of its messages, and what the route itself asks for. */
function readWish (body: unknown, scopes: readonly string[]): Wish | Unread {
  // Fastify reads text/plain by itself. A message is application/json and nothing else.
  if (typeof body === 'string') return { refusal: WRONG_TYPE, reason: 'not application/json', audience: RPC }
  const message = readOperations(body)
  const audience: Audience = { rpc: true, id: message.id }
  if (message.malformed) return { refusal: MALFORMED[message.code], reason: message.reason, audience }
  const { operations } = message
  return { operations: scopes.length === 0 ? operations : [{ type: 'route', scopes }, ...operations], audience }
}

const isDenied = (decision: Decision): decision is Extract<Decision, { allowed: false }> => !decision.allowed

/** One answer for everything that was decided; `null` when all of it is allowed. */
function refusalOf (decisions: readonly Decision[], principal: Principal, challenges: Challenges): Refusal | null {
  const denied = decisions.filter(isDenied)
  if (denied.length === 0) return null
  if (denied.some(({ reason }) => reason === 'unknown-method')) return UNKNOWN_METHOD
  if (denied.some(({ reason }) => reason === 'unknown-component')) return UNKNOWN_COMPONENT
  return challenges.insufficientScope(decisions.flatMap(({ required }) => required), principal.scopes)
}

/**
 * The hook that decides what an authenticated request wants, when its body is known: each message at the MCP endpoint,
 * the route's own scopes elsewhere. Of a batch, all has to be allowed or nothing is (RS-31).
 */
export function buildAuthorize (input: { settings: Settings, challenges: Challenges, isMcp: IsMcp }) {
  const { settings: { policy }, challenges, isMcp } = input

  function wishOf (request: FastifyRequest, scopes: readonly string[]): Wish | Unread {
    const mcp = isMcp(request.routeOptions.url)
    if (mcp && (request.method === 'POST' || request.body !== undefined)) return readWish(request.body, scopes)
    return { operations: [{ type: 'route', scopes }], audience: mcp ? RPC : PLAIN }
  }

  // A callback hook that has answered never calls `done`, so nothing that comes later can run.
  return function authorize (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
    const { public: open = false, scopes = NO_SCOPES } = request.routeOptions.config.mcpSecurity ?? {}
    if (open) { done(); return }
    const principal = request.mcpAuth
    const wish = wishOf(request, scopes)
    if (principal === null) { sendRefusal(reply, challenges.noToken, wish.audience); return }
    if ('refusal' in wish) {
      reportUnread(request, principal, wish.reason)
      sendRefusal(reply, wish.refusal, wish.audience)
      return
    }
    const decided = wish.operations.map((operation): Decided =>
      ({ operation, decision: decide(principal, operation, policy) }))
    const refusal = refusalOf(decided.map(({ decision }) => decision), principal, challenges)
    reportDecisions(request, principal, decided)
    if (refusal === null) done()
    else sendRefusal(reply, refusal, wish.audience)
  }
}
