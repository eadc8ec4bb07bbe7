import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import type { Operation, RouteSecurity } from '../../../types/access.js'
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
const NO_DEMANDS: RouteSecurity = {}

/** What a request wants: at the MCP endpoint all of its messages, elsewhere its route. */
function readWish (request: FastifyRequest, route: { scopes: readonly string[], mcp: boolean }): Wish | Unread {
  const { body } = request
  const { scopes, mcp } = route
  if (!mcp) return { operations: [{ type: 'route', scopes }], audience: PLAIN }
  if (body === undefined && request.method !== 'POST') return { operations: [{ type: 'route', scopes }], audience: RPC }
  // Fastify reads text/plain by itself. A message is application/json and nothing else.
  if (typeof body === 'string') return { refusal: WRONG_TYPE, reason: 'not application/json', audience: RPC }
  const message = readOperations(body)
  const audience: Audience = { rpc: true, id: message.id }
  if (message.malformed) return { refusal: MALFORMED[message.code], reason: message.reason, audience }
  const { operations } = message
  return { operations: scopes.length === 0 ? operations : [{ type: 'route', scopes }, ...operations], audience }
}

/** One answer for all that was decided, part of which is denied. */
function refusalOf (decided: readonly Decided[], principal: Principal, challenges: Challenges): Refusal {
  const reasons = decided.map(({ decision }) => decision.allowed ? null : decision.reason)
  if (reasons.includes('unknown-method')) return UNKNOWN_METHOD
  if (reasons.includes('unknown-component')) return UNKNOWN_COMPONENT
  return challenges.insufficientScope(decided.flatMap(({ decision }) => decision.required), principal.scopes)
}

/**
 * The hook that decides what an authenticated request wants, when its body is known: each message at the MCP endpoint,
 * the route's own scopes elsewhere. Of a batch, all has to be allowed or nothing is (RS-31).
 */
export function buildAuthorize (input: { settings: Settings, challenges: Challenges, isMcp: IsMcp }) {
  const { settings: { policy }, challenges, isMcp } = input

  // A callback hook that has answered never calls `done`, so nothing that comes later can run.
  return function authorize (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
    const { config, url } = request.routeOptions
    const { public: open = false, scopes = NO_SCOPES } = config.mcpSecurity ?? NO_DEMANDS
    if (open) { done(); return }
    const principal = request.mcpAuth
    const wish = readWish(request, { scopes, mcp: isMcp(url) })
    if (principal === null) { sendRefusal(reply, challenges.noToken, wish.audience); return }
    if ('refusal' in wish) {
      reportUnread(request, wish.reason)
      sendRefusal(reply, wish.refusal, wish.audience)
      return
    }
    let allowed = true
    const decided: Decided[] = []
    for (const operation of wish.operations) {
      const decision = decide(principal, operation, policy)
      allowed = allowed && decision.allowed
      decided.push({ operation, decision })
    }
    reportDecisions(request, principal, decided)
    if (allowed) done()
    else sendRefusal(reply, refusalOf(decided, principal, challenges), wish.audience)
  }
}
