import type { FastifyRequest } from 'fastify'
import type { Principal } from '../../../types/principal.js'
import { bindId } from '../../crypto/bound-id.js'
import { bindState } from '../../crypto/bound-state.js'
import { mayGiveIds, writeGivenIds, type GivenIds } from '../../protocol/given-ids.js'
import { isJson, own } from '../../protocol/json-edit.js'
import { maySuspend, requestOf, stateUseOf } from '../../protocol/state-use.js'
import type { BindingRules } from './bindings.js'
import { editAnswer } from './answers/edit-answer.js'
import type { AnswerEdit } from './answers/edit.js'
import type { Answering } from './steps.js'
import type { Wish } from './wish.js'

const SESSION = 'mcp-session-id'
const VERSION = 'io.modelcontextprotocol/protocolVersion'

/** Whether the body is of a revision that has no sessions and does not resume streams (2026-07-28). */
function isModern (body: unknown): boolean {
  const params = isJson(body) ? own(body, 'params') : undefined
  const meta = isJson(params) ? own(params, '_meta') : undefined
  return isJson(meta) && own(meta, VERSION) !== undefined
}

/** Whether an operation is a message of such a method. A loop: this runs for every request. */
function some ({ operations }: Wish, is: (method: string) => boolean): boolean {
  for (const operation of operations) {
    if (operation.type === 'message' && is(operation.method)) return true
  }
  return false
}

const isInitialize = (method: string): boolean => method === 'initialize'

/**
 * The step that binds the ids which an answer gives to the caller. Touches no answer that cannot hold one: a request
 * without a session that is not `initialize` is given neither a session nor a stream that could be resumed.
 */
export function buildBoundAnswers (rules: BindingRules): Answering {
  const { secrets, clock, tasks, stateLifetime } = rules

  const idsOf = (owner: Principal, body: unknown): GivenIds => ({
    task: (id) => bindId(secrets, { kind: 'task', owner }, id),
    state (state, answer) {
      const request = stateUseOf(requestOf(body, answer))
      // The answer to nothing that was asked. As it is, it would be refused when it came back.
      if (request === null) return state
      return bindState(secrets, { owner, request, expiresAt: clock() + stateLifetime }, state)
    }
  })

  function editOfStream (request: FastifyRequest, owner: Principal): AnswerEdit {
    let session = String(request.headers[SESSION] ?? '')
    return {
      sessionId (id) {
        session = id
        return bindId(secrets, { kind: 'session', owner }, id)
      },
      eventId: (id) => bindId(secrets, { kind: 'event', owner, within: [session] }, id)
    }
  }

  function editOfMessages (body: unknown, owner: Principal): AnswerEdit {
    const ids = idsOf(owner, body)
    return { message: (message) => writeGivenIds(message, ids), concerns: mayGiveIds, optional: true }
  }

  return (request, reply, wish, owner) => {
    if (!wish.audience.rpc) return
    const { body } = request
    const modern = isModern(body)
    if (!modern && (body === undefined || request.headers[SESSION] !== undefined || some(wish, isInitialize))) {
      editAnswer(reply, editOfStream(request, owner))
    }
    if (tasks || (modern && some(wish, maySuspend))) editAnswer(reply, editOfMessages(body, owner))
  }
}
