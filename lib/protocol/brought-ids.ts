import { isJson, own, within, without, type Json } from './json-edit.js'
import { isTaskMethod, RELATED_TASK, RELATED_TASKS } from './task-members.js'

/** How ids are taken back: the id as the server knows it, or `null` for one that is not the caller's. */
export interface BroughtIds {
  readonly task: (id: string) => string | null
  /** `message` is the one that brings the state. */
  readonly state: (state: string, message: Json) => string | null
}

/** Which id was refused. */
export type RefusedId = 'unknown task' | 'unknown state'

const readText = (value: unknown, read: (text: string) => string | null): string | null =>
  typeof value === 'string' ? read(value) : null

const MAX_LIST = 1000

/** A list of tasks; those that are not the caller's fall out, as if they were not known, and those beyond 1000. */
function readList (json: Json, name: string, read: BroughtIds['task']): Json {
  if (!Object.hasOwn(json, name)) return json
  const ids = [json[name]].flat().slice(0, MAX_LIST).map((id) => readText(id, read)).filter((id) => id !== null)
  return { ...json, [name]: ids }
}

/** A reference to a task in `_meta`. One that is not the caller's falls out: it is only a hint. */
function readMeta (holder: Json, read: BroughtIds['task']): Json {
  return within(holder, '_meta', (meta) => {
    const hinted = readList(meta, RELATED_TASKS, read)
    const related = own(hinted, RELATED_TASK)
    if (related === undefined) return hinted
    const taskId = isJson(related) ? readText(own(related, 'taskId'), read) : null
    return taskId === null ? without(hinted, RELATED_TASK) : { ...hinted, [RELATED_TASK]: { taskId } }
  })
}

function readParams (message: Json, params: Json, ids: BroughtIds): Json | RefusedId {
  let read = readMeta(params, ids.task)
  if (isTaskMethod(message.method) && Object.hasOwn(read, 'taskId')) {
    const taskId = readText(read.taskId, ids.task)
    if (taskId === null) return 'unknown task'
    read = { ...read, taskId }
  }
  if (Object.hasOwn(read, 'requestState')) {
    const requestState = readText(read.requestState, (state) => ids.state(state, message))
    if (requestState === null) return 'unknown state'
    read = { ...read, requestState }
  }
  return message.method === 'subscriptions/listen'
    ? within(read, 'notifications', (wanted) => readList(wanted, 'taskIds', ids.task))
    : read
}

/**
 * Takes back the ids of tasks and states that a client brings (RS-33): the same message with what `ids` answered in
 * their place, or which one was refused. A task that is only referred to, in `_meta` or in the list of
 * `subscriptions/listen`, is left out when it is not the caller's, as if it were not known; so
 * are those of a list beyond its first 1000.
 *
 * Ids of the client's own tasks (revision 2025-11-25: in its answers and in `notifications/tasks/status`) are left
 * alone. `notifications/cancelled`, `notifications/progress` and answers to the server's requests name requests, never
 * these ids: they reach nothing but the session that they travel in, which is bound by itself.
 */
export function readBroughtIds (message: Json, ids: BroughtIds): Json | RefusedId {
  if (message.method === undefined) return within(message, 'result', (result) => readMeta(result, ids.task))
  const params = own(message, 'params')
  if (!isJson(params)) return message
  const read = readParams(message, params, ids)
  if (typeof read === 'string') return read
  return read === params ? message : { ...message, params: read }
}

/** Whether a message may bring an id that `readBroughtIds` looks for: cheap, for every request. */
export function mayBringIds (message: Json): boolean {
  const { method, params } = message
  if (method === undefined) return true
  if (!isJson(params)) return false
  if (params.requestState !== undefined || isTaskMethod(method) || method === 'subscriptions/listen') return true
  const { _meta: meta } = params
  return isJson(meta) && (meta[RELATED_TASK] !== undefined || meta[RELATED_TASKS] !== undefined)
}
