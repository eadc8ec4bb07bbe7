import t from 'tap'
import { mayBringIds, readBroughtIds, type BroughtIds } from '../../lib/protocol/brought-ids.js'
import type { Json } from '../../lib/protocol/json-edit.js'

const RELATED = 'io.modelcontextprotocol/related-task'
const RELATED_LIST = 'io.modelcontextprotocol/relatedTaskIds'

/** What was given out is `task:x` and `state:x`. */
const inner = (kind: string) => (text: string) => text.startsWith(`${kind}:`) ? text.slice(kind.length + 1) : null
const IDS: BroughtIds = { task: inner('task'), state: inner('state') }
const request = (method: string, params: unknown): Json => ({ jsonrpc: '2.0', id: 1, method, params })
const read = (method: string, params: unknown) => readBroughtIds(request(method, params), IDS)

const TASK_METHODS = ['tasks/get', 'tasks/result', 'tasks/update', 'tasks/cancel']

t.test('the task of a tasks request is taken back', async (t) => {
  for (const method of TASK_METHODS) t.same(read(method, { taskId: 'task:1', more: 2 }), request(method, { taskId: '1', more: 2 }))
})

t.test('a task that is not the caller\'s is refused, whatever it looks like', async (t) => {
  for (const method of TASK_METHODS) {
    for (const taskId of ['1', '', 'state:1', null, 1, ['task:1'], { taskId: 'task:1' }]) {
      t.equal(read(method, { taskId }), 'unknown task')
    }
  }
})

t.test('a requestState is taken back, and one that is not the caller\'s refused, for every method', async (t) => {
  for (const method of ['tools/call', 'prompts/get', 'resources/read', 'anything/else']) {
    t.same(read(method, { name: 'a', requestState: 'state:x' }), request(method, { name: 'a', requestState: 'x' }))
    for (const requestState of ['x', 'task:x', '', null, 1, {}]) t.equal(read(method, { requestState }), 'unknown state')
  }
})

t.test('the state is read for the message that brings it', async (t) => {
  const message = request('tools/call', { name: 'a', requestState: 'x' })

  readBroughtIds(message, { ...IDS, state: (_state, brings) => { t.equal(brings, message); return 'y' } })
})

t.test('a reference to a task of one\'s own is taken back, one to another is left out', async (t) => {
  const meta = (value: unknown, more: Json = {}) => ({ name: 'a', _meta: { ...more, [RELATED]: value, progressToken: 1 } })

  t.same(read('tools/call', meta({ taskId: 'task:1' })), request('tools/call', meta({ taskId: '1' })))
  for (const value of [{ taskId: '1' }, { taskId: 1 }, {}, 'task:1', null]) {
    t.same(read('tools/call', meta(value)), request('tools/call', { name: 'a', _meta: { progressToken: 1 } }))
  }
  t.same(read('tools/call', meta({ taskId: 'x' }, { [RELATED_LIST]: ['task:1', '2', 3] })),
    request('tools/call', { name: 'a', _meta: { [RELATED_LIST]: ['1'], progressToken: 1 } }))
})

t.test('a reference in the answer to a request of ours is taken back or left out as well', async (t) => {
  const answer = (meta: Json) => ({ jsonrpc: '2.0', id: 1, result: { action: 'accept', _meta: meta } })

  t.same(readBroughtIds(answer({ [RELATED]: { taskId: 'task:1' } }), IDS), answer({ [RELATED]: { taskId: '1' } }))
  t.same(readBroughtIds(answer({ [RELATED]: { taskId: '1' } }), IDS), answer({}))
})

t.test('of the tasks that are listened to, those of the caller remain', async (t) => {
  const listen = (taskIds: unknown) => ({ notifications: { toolsListChanged: true, taskIds } })

  t.same(read('subscriptions/listen', listen(['task:1', '2', 3, 'task:4'])), request('subscriptions/listen', listen(['1', '4'])))
  t.same(read('subscriptions/listen', listen('task:1')), request('subscriptions/listen', listen(['1'])))
})

t.test('a message without such ids is the same object', async (t) => {
  const messages: readonly Json[] = [
    request('tools/call', { name: 'a', arguments: { taskId: '1', requestState: 'x' }, _meta: { progressToken: 1 } }),
    request('tasks/list', undefined),
    request('tasks/list', {}),
    request('subscriptions/listen', { notifications: { toolsListChanged: true } }),
    request('subscriptions/listen', {}),
    request('notifications/cancelled', { requestId: 1 }),
    request('ping', ['a']),
    { jsonrpc: '2.0', id: 1, result: {} },
    { jsonrpc: '2.0', id: 1, error: { code: 1, message: 'x' } }
  ]
  for (const message of messages) t.equal(readBroughtIds(message, IDS), message)
})

t.test('the client\'s own tasks are left alone', async (t) => {
  const status = request('notifications/tasks/status', { taskId: 'its own', status: 'working' })
  const answer = { jsonrpc: '2.0', id: 1, result: { task: { taskId: 'its own' }, taskId: 'its own' } }

  t.equal(readBroughtIds(status, IDS), status)
  t.equal(readBroughtIds(answer, IDS), answer)
})

t.test('what a message inherits is no part of it', async (t) => {
  const params = Object.create({ requestState: 'x', taskId: '1', _meta: { [RELATED]: { taskId: '1' } } })
  const message = request('tasks/get', params)

  t.equal(readBroughtIds(message, IDS), message)
})

t.test('the message that was given is not changed', async (t) => {
  const message = request('tasks/get', { taskId: 'task:1', _meta: { [RELATED]: { taskId: 'task:1' } } })
  const before = structuredClone(message)

  readBroughtIds(message, IDS)

  t.same(message, before)
})

t.test('whatever holds an id that is taken back is seen to', async (t) => {
  const messages: readonly Json[] = [
    ...TASK_METHODS.map((method) => request(method, { taskId: 'task:1' })),
    request('tools/call', { requestState: null }),
    request('tools/call', { _meta: { [RELATED]: null } }),
    request('anything', { _meta: { [RELATED_LIST]: [] } }),
    request('subscriptions/listen', { notifications: { taskIds: [] } }),
    { jsonrpc: '2.0', id: 1, result: { _meta: { [RELATED]: {} } } }
  ]
  for (const message of messages) t.equal(mayBringIds(message), true, JSON.stringify(message))
})

t.test('an answer is looked into, whatever it holds besides', async (t) => {
  for (const more of [{}, { params: undefined }, { params: {} }, { params: { _meta: {} } }, { params: [] }]) {
    t.equal(mayBringIds({ jsonrpc: '2.0', id: 1, result: {}, ...more }), true, JSON.stringify(more))
  }
})

t.test('of a list of tasks the first thousand are looked at', async (t) => {
  const taskIds = Array.from({ length: 20_000 }, () => 'task:1')

  t.match(read('subscriptions/listen', { notifications: { taskIds } }), { params: { notifications: { taskIds: { length: 1000 } } } })
})

t.test('a plain request is not looked into', async (t) => {
  for (const params of [undefined, [], {}, { name: 'a', arguments: { taskId: '1' }, _meta: { progressToken: 1 } }]) {
    t.equal(mayBringIds(request('tools/call', params)), false)
  }
})
