import { isJson, own, within, type Json } from './json-edit.js'
import { isTaskMethod, RELATED_TASK } from './task-members.js'

/** How ids are given out. */
export interface GivenIds {
  readonly task: (id: string) => string
  /** `message` is the answer that holds the state. */
  readonly state: (state: string, message: Json) => string
}

type Write = (text: string) => string

const TASK_NEWS: ReadonlySet<unknown> = new Set(['notifications/tasks', 'notifications/tasks/status'])

function writeText (json: Json, name: string, write: Write): Json {
  const value = own(json, name)
  return typeof value === 'string' ? { ...json, [name]: write(value) } : json
}

/** The members of a list; what is not of the kind that `write` takes is left to the client to refuse. */
function writeList (json: Json, name: string, write: (element: unknown) => unknown): Json {
  const list = own(json, name)
  return Array.isArray(list) ? { ...json, [name]: list.map(write) } : json
}

const writeTask = (write: Write) => (task: unknown): unknown => isJson(task) ? writeText(task, 'taskId', write) : task
const writeId = (write: Write) => (id: unknown): unknown => typeof id === 'string' ? write(id) : id

const writeMeta = (holder: Json, write: Write): Json =>
  within(holder, '_meta', (meta) => within(meta, RELATED_TASK, (related) => writeText(related, 'taskId', write)))

function writeResult (message: Json, result: Json, ids: GivenIds): Json {
  const flat = writeText(writeMeta(result, ids.task), 'taskId', ids.task)
  const nested = within(flat, 'task', (task) => writeText(task, 'taskId', ids.task))
  return writeText(writeList(nested, 'tasks', writeTask(ids.task)), 'requestState', (state) => ids.state(state, message))
}

function writeParams (message: Json, params: Json, ids: GivenIds): Json {
  const written = writeMeta(params, ids.task)
  if (TASK_NEWS.has(message.method)) return writeText(written, 'taskId', ids.task)
  if (message.method !== 'notifications/subscriptions/acknowledged') return written
  return within(written, 'notifications', (agreed) => writeList(agreed, 'taskIds', writeId(ids.task)))
}

/**
 * Takes the ids of tasks and states that a server gives to a client through `ids`: in results (`taskId`, `task`,
 * `tasks`, `requestState`), in notifications about tasks, and in the `_meta` of whatever belongs to a task. Answers the
 * same object when there was none. A server's `tasks/*` requests name the client's own tasks and are left alone.
 */
export function writeGivenIds (message: Json, ids: GivenIds): Json {
  if (isTaskMethod(message.method)) return message
  return message.method === undefined
    ? within(message, 'result', (result) => writeResult(message, result, ids))
    : within(message, 'params', (params) => writeParams(message, params, ids))
}

/** Whether a JSON text may hold an id that `writeGivenIds` looks for: cheaper to know than to parse it. */
export function mayGiveIds (text: string): boolean {
  return text.includes('"taskId') || text.includes('"requestState"')
}
