import type { FastifyRequest } from 'fastify'
import type { Principal } from '../../../types/principal.js'
import { unbindId } from '../../crypto/bound-id.js'
import { unbindState } from '../../crypto/bound-state.js'
import { mayBringIds, readBroughtIds, type BroughtIds, type RefusedId } from '../../protocol/brought-ids.js'
import { isJson, type Json } from '../../protocol/json-edit.js'
import { stateUseOf } from '../../protocol/state-use.js'
import { isTaskMethod } from '../../protocol/task-members.js'
import { countHeaderLines, setRequestHeader } from '../support/request-header.js'
import type { BindingSettings } from './binding-settings.js'
import { buildBoundAnswers } from './bound-answers.js'
import { REPEATED_HEADER, UNKNOWN_SESSION, UNKNOWN_STATE, UNKNOWN_TASK } from './refusals.js'
import type { Answering } from './steps.js'
import type { Reading } from './wish.js'

const SESSION = 'mcp-session-id'
const LAST_EVENT = 'last-event-id'
/** Where revision 2026-07-28 repeats the id of a task. */
const NAME = 'mcp-name'

const REFUSALS = {
  'repeated header': REPEATED_HEADER,
  'unknown session': UNKNOWN_SESSION,
  'unknown event': UNKNOWN_SESSION,
  'unknown task': UNKNOWN_TASK,
  'unknown state': UNKNOWN_STATE
} as const

/** A stable phrase, for the audit event. */
type Reason = keyof typeof REFUSALS

/** What ids are bound with, and for how long. */
export type BindingRules = Omit<BindingSettings, 'streams'>

export interface Bindings {
  /** Takes bound ids back: the handler sees its own. What is not the caller's is refused as what never was. */
  readonly take: Reading
  /** Binds the ids that the answer gives to the caller. */
  readonly give: Answering
}

/** Text that a header can carry; other text in the encoding of revision 2026-07-28. */
const headerText = (text: string): string =>
  /^[\x21-\x7E]+$/.test(text) && !text.startsWith('=?') ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`

/**
 * Binds every id that the server gives and the client brings back to the principal, without a store and with the
 * host's handler as it is (RS-33, TR-10, TR-15): on the way out a tag is added, on the way in it is checked and taken
 * off. That is `Mcp-Session-Id`, the ids of events within their session, the ids of tasks, and a `requestState`, which
 * is good for the very request that it was given for and ends with its lifetime.
 *
 * Nobody is told whether an id of somebody else exists: 404 for sessions and events, JSON-RPC -32602 for the others,
 * whatever is wrong with them. Does *not* look into the answers to the server's own requests, into
 * `notifications/cancelled` or `notifications/progress`: they name requests of the session that they travel in.
 */
export function buildBindings (rules: BindingRules): Bindings {
  const { secrets, clock, tasks } = rules

  const idsOf = (owner: Principal): BroughtIds => ({
    task: (id) => unbindId(secrets, { kind: 'task', owner }, id),
    state (state, message) {
      const request = stateUseOf(message)
      return request === null ? null : unbindState(secrets, { owner, request, now: clock() }, state)
    }
  })

  function takeHeaders (request: FastifyRequest, owner: Principal): Reason | null {
    const { [SESSION]: bound, [LAST_EVENT]: boundEvent } = request.headers
    if (bound === undefined && boundEvent === undefined) return null
    if (countHeaderLines(request, SESSION) > 1 || countHeaderLines(request, LAST_EVENT) > 1) return 'repeated header'
    const session = bound === undefined ? '' : unbindId(secrets, { kind: 'session', owner }, String(bound))
    if (session === null) return 'unknown session'
    setRequestHeader(request, SESSION, session)
    if (boundEvent === undefined) return null
    const event = unbindId(secrets, { kind: 'event', owner, within: [session] }, String(boundEvent))
    if (event === null) return 'unknown event'
    setRequestHeader(request, LAST_EVENT, event)
    return null
  }

  /** Where there are no tasks their methods are denied anyway, as unknown ones. */
  function takeMessage (message: Json, owner: Principal): Json | RefusedId {
    return !tasks && isTaskMethod(message.method) ? message : readBroughtIds(message, idsOf(owner))
  }

  function takeBatch (request: FastifyRequest, batch: readonly unknown[], owner: Principal): Reason | null {
    const taken: Json[] = []
    for (const message of batch.filter(isJson)) {
      const read = takeMessage(message, owner)
      if (read === 'unknown task' || read === 'unknown state') return read
      taken.push(read)
    }
    request.body = taken
    return null
  }

  function takeBody (request: FastifyRequest, owner: Principal): Reason | null {
    const { body } = request
    if (Array.isArray(body)) return takeBatch(request, body, owner)
    if (!isJson(body) || !mayBringIds(body)) return null
    const read = takeMessage(body, owner)
    if (typeof read === 'string') return read
    request.body = read
    const { method, params } = read
    if (isTaskMethod(method) && isJson(params) && typeof params.taskId === 'string') {
      setRequestHeader(request, NAME, headerText(params.taskId))
    }
    return null
  }

  return {
    take (request, wish, principal) {
      const { audience } = wish
      if (!audience.rpc) return wish
      const reason = takeHeaders(request, principal) ?? takeBody(request, principal)
      return reason === null ? wish : { refusal: REFUSALS[reason], reason, audience }
    },

    give: buildBoundAnswers(rules)
  }
}
