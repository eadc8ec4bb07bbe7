import type { FastifyRequest } from 'fastify'
import type { Component } from '../../../../types/access.js'
import type { Principal } from '../../../../types/principal.js'
import { callOf, isVisible } from '../../../access/visible.js'
import type { Json } from '../../../protocol/json-edit.js'
import {
  filterAnswer, filterByShape, isListMethod, isOwnMessage, isUpdate, mayHoldList, updatedResource, type Keep
} from '../../../protocol/list-result.js'
import { askHost } from '../last-word.js'
import type { Settings } from '../settings.js'
import type { Answering } from '../steps.js'
import type { Wish } from '../wish.js'
import { editAnswer } from './edit-answer.js'
import type { Edited } from './edit.js'
import { readListRequests, type ListRequests } from './list-requests.js'

/** Whether the principal may use a component: exactly what a call would be told, the host's last word included. */
type MayUse = (component: Component) => boolean | Promise<boolean>

/** RS-32: an answer for one principal is nobody else's. */
const PRIVATE = { 'cache-control': 'no-store', vary: 'Authorization' }
const MODERN = '2026-07-28'
const STREAMS: ReadonlySet<string> = new Set(['subscriptions/listen', 'resources/subscribe'])

function buildMayUse (settings: Settings, { request, principal, wish }: {
  request: FastifyRequest, principal: Principal, wish: Wish
}): MayUse {
  const { access, clock } = settings
  return (component) => {
    // A stream may live long: by the policy of the moment, not by that of the request.
    const circumstances = { policy: settings.policy(), now: clock(), filter: wish.filter }
    if (!isVisible(principal, component, circumstances)) return false
    if (access === undefined) return true
    const answer = askHost(access, { principal, operation: callOf(component), request })
    return answer instanceof Promise ? answer.then((late) => late === null) : answer === null
  }
}

/** Asks about each component once, then filters. */
function filterBy (mayUse: MayUse, filter: (keep: Keep) => Json): Json | Promise<Json> {
  const asked = new Map<string, boolean | Promise<boolean>>()
  const keyOf = ({ kind, name }: Component): string => `${kind} ${name}`
  const filtered = filter((item) => {
    const key = keyOf(item)
    const may = asked.get(key) ?? mayUse(item)
    asked.set(key, may)
    return may === true
  })
  const late = [...asked].flatMap(([key, may]) => typeof may === 'boolean' ? [] : may.then((is) => { asked.set(key, is) }))
  return late.length === 0
    ? filtered
    : Promise.all(late).then(() => filter((item) => asked.get(keyOf(item)) === true))
}

function filterUpdate (message: Json, mayUse: MayUse): Edited | Promise<Edited> {
  const resource = updatedResource(message)
  const may = resource !== null && mayUse(resource)
  return may instanceof Promise ? may.then((is) => is ? message : null) : may ? message : null
}

function messageFilter (mayUse: MayUse, { lists, modern }: { lists: ListRequests, modern: boolean }) {
  return (message: Json): Edited | Promise<Edited> => {
    if (isUpdate(message)) return filterUpdate(message, mayUse)
    if (isOwnMessage(message)) return message
    return filterBy(mayUse, (keep) =>
      lists.isAnswer(message) ? filterAnswer(message, { keep, modern }) : filterByShape(message, keep))
  }
}

/** Whether an operation is a message of such a method. A loop: this runs for every request. */
function some ({ operations }: Wish, is: (method: string) => boolean): boolean {
  for (const operation of operations) {
    if (operation.type === 'message' && is(operation.method)) return true
  }
  return false
}

const isOfStreams = (method: string): boolean => STREAMS.has(method)

/** Whether an answer may hold messages that belong to other requests: streams do, and sessions use them. */
const isShared = ({ body, headers }: FastifyRequest, wish: Wish): boolean =>
  body === undefined || headers['mcp-session-id'] !== undefined || some(wish, isOfStreams)

/**
 * The step that makes lists hold exactly what the principal may call (RS-32): answers to `tools/list`, `prompts/list`,
 * `resources/list` and `resources/templates/list`, in every stream too, where they are replayed. A notification that a
 * resource has changed reaches only who may read it.
 *
 * Does *not* look into other answers: what a tool says of other tools is the host's.
 */
export function buildListFilter (settings: Settings): Answering {
  return (request, reply, wish, principal) => {
    if (wish.reportOnly || !wish.audience.rpc) return
    if (!some(wish, isListMethod) && !isShared(request, wish)) return
    const lists = readListRequests(request.body)
    const mayUse = buildMayUse(settings, { request, principal, wish })
    const version = request.headers['mcp-protocol-version']
    const modern = typeof version === 'string' && version >= MODERN
    const message = messageFilter(mayUse, { lists, modern })
    if (lists.any) editAnswer(reply, { message, headers: PRIVATE })
    else if (request.body === undefined) editAnswer(reply, { message, concerns: mayHoldList, headers: PRIVATE })
    else editAnswer(reply, { message, concerns: mayHoldList, optional: true })
  }
}
