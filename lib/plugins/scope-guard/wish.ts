import type { FastifyRequest } from 'fastify'
import type { Operation, RouteSecurity, TagFilter } from '../../../types/access.js'
import type { Principal } from '../../../types/principal.js'
import type { Policy } from '../../access/policy.js'
import { readOperations } from '../../protocol/mcp-message.js'
import { MALFORMED, WRONG_TYPE, type Audience, type Refusal } from './refusals.js'
import type { Settings } from './settings.js'

/** What a request wants, as far as it has been read. */
export interface Wish {
  /** At the MCP endpoint all of its messages, elsewhere its route. */
  readonly operations: readonly Operation[]
  /** `rpc` at the MCP endpoint and nowhere else. */
  readonly audience: Audience
  /** One request sees one policy, whatever is replaced meanwhile. */
  readonly policy: Policy
  /** Whether what is denied passes and is reported only: lists then show everything. */
  readonly reportOnly: boolean
  /** How the client narrowed its request; `null`: not at all. */
  readonly filter: TagFilter | null
}

/** A wish that could not be read. Nothing was decided: it is reported as `request.refused`. */
export interface Unread {
  readonly refusal: Refusal
  /** A stable phrase of ours, for the audit event. */
  readonly reason: string
  readonly audience: Audience
}

/** One step of reading. It takes the wish of the step before, and answers that, more of it, or why it stops here. */
export type Reading = (request: FastifyRequest, wish: Wish, principal: Principal) => Wish | Unread

/** Where a request arrived: read once, since Fastify makes up `routeOptions` anew at each look. */
export interface Route {
  readonly settings: Settings
  readonly mcp: boolean
  /** What the route says of itself. */
  readonly security: RouteSecurity | undefined
}

const PLAIN: Audience = { rpc: false }
const RPC: Audience = { rpc: true, id: null }
const NO_SCOPES: readonly string[] = []
const NO_DEMANDS: RouteSecurity = {}

/** Whom to tell before anything of the message is known. */
export const audienceOf = (mcp: boolean): Audience => mcp ? RPC : PLAIN

/** The first step: the message at the MCP endpoint, the route elsewhere. */
export function readMessage (request: FastifyRequest, route: Route): Wish | Unread {
  const { settings, mcp, security = NO_DEMANDS } = route
  const { body } = request
  const { scopes = NO_SCOPES, reportOnly = settings.reportOnly } = security
  const policy = settings.policy()
  if (!mcp) return { operations: [{ type: 'route', scopes }], audience: PLAIN, policy, reportOnly, filter: null }
  if (body === undefined && request.method !== 'POST') {
    return { operations: [{ type: 'route', scopes }], audience: RPC, policy, reportOnly, filter: null }
  }
  // Fastify reads text/plain by itself. A message is application/json and nothing else.
  if (typeof body === 'string') return { refusal: WRONG_TYPE, reason: 'not application/json', audience: RPC }
  const message = readOperations(body)
  const audience: Audience = { rpc: true, id: message.id }
  if (message.malformed) return { refusal: MALFORMED[message.code], reason: message.reason, audience }
  const operations = scopes.length === 0
    ? message.operations
    : [{ type: 'route', scopes } as const, ...message.operations]
  return { operations, audience, policy, reportOnly, filter: null }
}
