import type { FastifyRequest } from 'fastify'
import { claimsRevision, fieldsOf, isObject, metaOf } from '../../protocol/mcp-envelope.js'
import type { WireFault } from '../../protocol/mcp-fault.js'
import { paramsAgree } from '../../protocol/mcp-params.js'
import { checkWire } from '../../protocol/mcp-wire.js'
import type { SpokenVersions } from '../../protocol/mcp-version.js'
import { setRequestHeader } from '../support/request-header.js'
import { wireRefusal } from './refusals.js'
import type { Unread, Wish } from './wish.js'

/** What older revisions resume by. The modern one has no sessions (TR-4). */
const OF_SESSIONS = ['mcp-session-id', 'last-event-id'] as const

const WRONG_PARAM: WireFault = { status: 400, code: -32020, reason: 'parameter header and body disagree' }

const unread = (fault: WireFault, { audience }: Wish | Unread): Unread =>
  ({ refusal: wireRefusal(fault), reason: fault.reason, audience })

/** A method that nobody has is denied, not malformed: with `reportOnly` that is reported and passes. */
const isDenial = (fault: WireFault, wish: Wish | Unread): boolean =>
  fault.status === 404 && 'operations' in wish && wish.reportOnly

/** A rule says which arguments stand in headers as well; without one there are none (TR-7). */
function paramsDiffer ({ body, raw }: FastifyRequest, { operations, policy }: Wish): boolean {
  const message = fieldsOf(body)
  if (!claimsRevision(metaOf(message))) return false
  return operations.some((operation) => {
    const rule = operation.type === 'message' && operation.component !== null && policy.ruleOf(operation.component)
    if (!rule || rule.headers === undefined) return false
    return !paramsAgree(raw, rule.headers, fieldsOf(message.params).arguments)
  })
}

/**
 * Holds the `Mcp-Param-*` headers of a modern request against its arguments (TR-7): `null` when they agree. Only for
 * what is allowed: a component that is denied must not show by its headers that it exists.
 */
export function checkParams (request: FastifyRequest, wish: Wish): Unread | null {
  return paramsDiffer(request, wish) ? unread(WRONG_PARAM, wish) : null
}

/**
 * Makes the step that holds the headers of a request at the MCP endpoint against its body (TR-4 to TR-6, TR-8, TR-9),
 * between reading the message and everything that is decided about it. It comes before a message is refused as
 * malformed, since revisions disagree on what is; a malformed batch, and what is no object at all, are so in all of
 * them.
 */
export function buildWireCheck (spoken: SpokenVersions) {
  return function checkHeaders (request: FastifyRequest, wish: Wish | Unread): Wish | Unread {
    const { body, method, raw } = request
    if ('refusal' in wish && !isObject(body)) return wish
    const { modern, fault } = checkWire({ headers: raw.headers, rawHeaders: raw.rawHeaders, method, body }, spoken)
    if (fault !== null && !isDenial(fault, wish)) return unread(fault, wish)
    if (!modern || 'refusal' in wish) return wish
    for (const name of OF_SESSIONS) setRequestHeader(request, name, null)
    return wish
  }
}
