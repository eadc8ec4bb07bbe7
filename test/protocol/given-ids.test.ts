import t from 'tap'
import { mayGiveIds, writeGivenIds, type GivenIds } from '../../lib/protocol/given-ids.js'
import type { Json } from '../../lib/protocol/json-edit.js'

const RELATED = 'io.modelcontextprotocol/related-task'
const IDS: GivenIds = { task: (id) => `task:${id}`, state: (state) => `state:${state}` }
const answer = (result: unknown): Json => ({ jsonrpc: '2.0', id: 1, result })
const news = (method: string, params: unknown): Json => ({ jsonrpc: '2.0', method, params })

/** Each message as the server gives it, and the same with its ids bound. */
const GIVEN: Record<string, readonly [Json, Json]> = {
  'a task made in revision 2025-11-25': [
    answer({ task: { taskId: '1', status: 'working' } }), answer({ task: { taskId: 'task:1', status: 'working' } })],
  'a task made in revision 2026-07-28': [
    answer({ resultType: 'task', taskId: '1', ttlMs: null }), answer({ resultType: 'task', taskId: 'task:1', ttlMs: null })],
  'a list of tasks': [
    answer({ tasks: [{ taskId: '1' }, { taskId: '2' }, 'odd', {}] }), answer({ tasks: [{ taskId: 'task:1' }, { taskId: 'task:2' }, 'odd', {}] })],
  'a result that belongs to a task': [
    answer({ content: [], _meta: { [RELATED]: { taskId: '1' }, a: 1 } }), answer({ content: [], _meta: { [RELATED]: { taskId: 'task:1' }, a: 1 } })],
  'a state': [
    answer({ resultType: 'input_required', requestState: 'x' }), answer({ resultType: 'input_required', requestState: 'state:x' })],
  'news of a task in revision 2025-11-25': [
    news('notifications/tasks/status', { taskId: '1' }), news('notifications/tasks/status', { taskId: 'task:1' })],
  'news of a task in revision 2026-07-28': [
    news('notifications/tasks', { taskId: '1' }), news('notifications/tasks', { taskId: 'task:1' })],
  'the tasks that may be listened to': [
    news('notifications/subscriptions/acknowledged', { notifications: { taskIds: ['1', 2] } }),
    news('notifications/subscriptions/acknowledged', { notifications: { taskIds: ['task:1', 2] } })],
  'a request that belongs to a task': [
    { ...news('elicitation/create', { message: 'Go on?', _meta: { [RELATED]: { taskId: '1' } } }), id: 3 },
    { ...news('elicitation/create', { message: 'Go on?', _meta: { [RELATED]: { taskId: 'task:1' } } }), id: 3 }]
}

for (const [what, [given, bound]] of Object.entries(GIVEN)) {
  t.test(`${what} goes out with bound ids, and was seen to hold some`, async (t) => {
    t.same(writeGivenIds(given, IDS), bound)
    t.equal(mayGiveIds(JSON.stringify(given)), true)
  })
}

t.test('the state is bound for the answer that holds it', async (t) => {
  const message = answer({ requestState: 'x' })

  writeGivenIds(message, { ...IDS, state: (_state, holds) => { t.equal(holds, message); return 'y' } })
})

t.test('a message without such ids is the same object', async (t) => {
  const messages: readonly Json[] = [
    answer({ content: [{ type: 'text', text: 'taskId' }], structuredContent: { taskId: '1', requestState: 'x' } }),
    answer({ taskId: 1, task: 'odd', tasks: 'odd', requestState: null, _meta: { [RELATED]: 'odd' } }),
    answer({ task: { status: 'working' }, _meta: {} }),
    answer(null),
    { jsonrpc: '2.0', id: 1, error: { code: -32603, message: 'x', data: { taskId: '1' } } },
    news('notifications/message', { level: 'info', data: { taskId: '1' }, taskId: '1' }),
    news('notifications/subscriptions/acknowledged', { notifications: {} }),
    news('notifications/tools/list_changed', undefined)
  ]
  for (const message of messages) t.equal(writeGivenIds(message, IDS), message)
})

t.test('a server that asks for a task of the client\'s names it as the client did', async (t) => {
  const message = { ...news('tasks/get', { taskId: 'its own', _meta: { [RELATED]: { taskId: 'its own' } } }), id: 4 }

  t.equal(writeGivenIds(message, IDS), message)
})

t.test('the message that was given is not changed', async (t) => {
  for (const [given] of Object.values(GIVEN)) {
    const before = structuredClone(given)
    writeGivenIds(given, IDS)
    t.same(given, before)
  }
})

t.test('a text without any of the names is not looked into', async (t) => {
  t.equal(mayGiveIds(JSON.stringify(answer({ content: [{ type: 'text', text: 'the task and its state' }] }))), false)
})
