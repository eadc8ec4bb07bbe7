import type { FastifyInstance, FastifyRequest } from 'fastify'
import t from 'tap'
import { scopeGuard } from '../../../lib/plugins/scope-guard.js'
import type { ScopeGuardOptions } from '../../../types/options.js'
import type { Teardown } from '../../helpers/build-app.js'
import { stoppedClock, type StoppedClock } from '../../helpers/clock.js'
import { versions } from '../../helpers/fastify-versions.js'
import { bearer, call, guardOptions, principalWith, verifierOf } from '../../helpers/guard.js'
import { rawExchange } from '../../helpers/raw-exchange.js'

const SECRET = 'a secret of more than thirty-two characters'
const VERSION = 'io.modelcontextprotocol/protocolVersion'
const RELATED = 'io.modelcontextprotocol/related-task'
const MODERN = { [VERSION]: '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} }

const verifier = verifierOf({
  alice: principalWith(['admin'], { subject: 'alice', grantId: 'grant-1' }),
  'alice-again': principalWith(['notes:read'], { subject: 'alice', grantId: 'grant-2', roles: ['editor'], acr: 'high' }),
  'alice-elsewhere': principalWith(['admin'], { subject: 'alice', clientId: 'client-2' }),
  bob: principalWith(['admin'], { subject: 'bob' }),
  machine: principalWith(['admin'], { subject: null })
})

type Answer = Readonly<Record<string, unknown>>

interface Host {
  readonly app: FastifyInstance
  readonly clock: StoppedClock
  /** What the handler saw, request by request. */
  readonly seen: Answer[]
  /** What the handler answers. */
  answer: (request: FastifyRequest) => { headers?: Record<string, string>, body: string, type?: string }
}

const json = (value: unknown) => ({ body: JSON.stringify(value) })

async function host (t: Teardown, options: Partial<ScopeGuardOptions> = {}, version = 'newest'): Promise<Host> {
  const app = versions[version]?.(t)
  if (app === undefined) throw new Error(`there is no Fastify ${version}`)
  const clock = stoppedClock()
  const seen: Answer[] = []
  const held: Host = { app, clock, seen, answer: () => json({ jsonrpc: '2.0', id: 1, result: {} }) }
  await app.register(scopeGuard, guardOptions({ verifier, clock, secrets: [SECRET], tasks: true, ...options }))
  app.route({
    method: ['GET', 'POST', 'DELETE'],
    url: '/mcp',
    handler (request, reply) {
      const { 'mcp-session-id': session, 'last-event-id': event, 'mcp-name': name } = request.headers
      seen.push({ session, event, name, body: request.body })
      const { headers = {}, body, type = 'application/json' } = held.answer(request)
      reply.headers(headers).type(type).send(body)
      return reply
    }
  })
  app.get('/rest', (request) => ({ session: request.headers['mcp-session-id'] }))
  await app.ready()
  return held
}

type Headers = Readonly<Record<string, string>>

const post = async ({ app }: Host, user: string, payload: object, headers: Headers = {}) =>
  await app.inject({ method: 'POST', url: '/mcp', headers: { ...bearer(user), ...headers }, payload })

const get = async ({ app }: Host, user: string, headers: Headers) =>
  await app.inject({ url: '/mcp', headers: { ...bearer(user), ...headers } })

const modern = (method: string, params: Answer) => call(method, { ...params, _meta: MODERN })

/** The headers that revision 2026-07-28 wants. */
const mirrored = (method: string, name: string): Headers =>
  ({ 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, 'mcp-name': name })

/** Alice's session, as she was given it. */
async function sessionOf (host: Host, user = 'alice', id = 'session-1'): Promise<string> {
  const before = host.answer
  host.answer = () => ({ headers: { 'mcp-session-id': id }, ...json({ jsonrpc: '2.0', id: 1, result: {} }) })
  const answer = await post(host, user, call('initialize'))
  host.answer = before
  host.seen.length = 0
  return String(answer.headers['mcp-session-id'])
}

for (const version of Object.keys(versions)) {
  t.test(`Fastify ${version}: a session goes out bound and comes back to the host as its own`, async (t) => {
    const one = await host(t, {}, version)
    const session = await sessionOf(one)

    t.match(session, /^session-1\.[\w-]{43}$/)
    for (const user of ['alice', 'alice-again']) {
      t.equal((await post(one, user, call('tools/list'), { 'mcp-session-id': session })).statusCode, 200)
      t.match(one.seen.pop(), { session: 'session-1' })
    }
    t.equal((await get(one, 'alice', { 'mcp-session-id': session })).statusCode, 200)
    t.equal((await one.app.inject({ method: 'DELETE', url: '/mcp', headers: { ...bearer('alice'), 'mcp-session-id': session } })).statusCode, 200)
    t.equal(one.seen.length, 2)
  })
}

t.test('a session of somebody else is as unknown as one that never was, and no handler runs (TR-10)', async (t) => {
  const one = await host(t)
  const session = await sessionOf(one)
  const unknown = await post(one, 'bob', call('tools/list'), { 'mcp-session-id': 'made-up' })

  t.equal(unknown.statusCode, 404)
  t.match(unknown.json(), { jsonrpc: '2.0', id: 1, error: { code: -32001, message: 'Session not found' } })
  for (const user of ['bob', 'alice-elsewhere', 'machine']) {
    const answer = await post(one, user, call('tools/list'), { 'mcp-session-id': session })
    t.equal(answer.statusCode, 404)
    t.equal(answer.body, unknown.body)
    t.equal((await get(one, user, { 'mcp-session-id': session })).statusCode, 404)
    const end = await one.app.inject({ method: 'DELETE', url: '/mcp', headers: { ...bearer(user), 'mcp-session-id': session } })
    t.equal(end.statusCode, 404)
  }
  t.equal((await post(one, 'alice', call('tools/list'), { 'mcp-session-id': 'session-1' })).statusCode, 404)
  t.equal((await post(one, 'alice', call('tools/list'), { 'mcp-session-id': '' })).statusCode, 404)
  t.same(one.seen, [])
})

t.test('a session is no credential: without a token it is 401 (RS-10)', async (t) => {
  const one = await host(t)
  const session = await sessionOf(one)

  const answer = await one.app.inject({ method: 'POST', url: '/mcp', headers: { 'mcp-session-id': session }, payload: call('tools/list') })
  t.equal(answer.statusCode, 401)
  t.same(one.seen, [])
})

t.test('two lines of a session or an event are refused, even if both are right', async (t) => {
  const one = await host(t)
  const session = await sessionOf(one)
  await one.app.listen({ host: '127.0.0.1', port: 0 })
  const lines = ['GET /mcp HTTP/1.1', 'Host: a', 'Authorization: Bearer alice', `Mcp-Session-Id: ${session}`]

  t.equal((await rawExchange(one.app.listeningOrigin, lines)).status, 200)
  t.equal((await rawExchange(one.app.listeningOrigin, [...lines, `MCP-SESSION-ID: ${session}`])).status, 400)
  t.equal((await rawExchange(one.app.listeningOrigin, [...lines, 'Last-Event-ID: a', 'Last-Event-ID: b'])).status, 400)
  t.equal(one.seen.length, 1)
})

t.test('a session that the host names again stays bound', async (t) => {
  const one = await host(t)
  const session = await sessionOf(one)
  one.answer = () => ({ headers: { 'mcp-session-id': 'session-1' }, ...json({}) })

  t.equal((await post(one, 'alice', call('tools/list'), { 'mcp-session-id': session })).headers['mcp-session-id'], session)
})

t.test('a route of the host that is not the MCP endpoint sees the header as it was sent', async (t) => {
  const one = await host(t)

  t.same((await one.app.inject({ url: '/rest', headers: { ...bearer('alice'), 'mcp-session-id': 'x' } })).json(), { session: 'x' })
})

const stream = (ids: readonly string[], headers: Headers = {}) => () =>
  ({ headers, type: 'text/event-stream', body: ids.map((id) => `id: ${id}\ndata: {"jsonrpc":"2.0","method":"a"}\n\n`).join('') })

const idsOf = (body: string): readonly string[] => [...body.matchAll(/^id: (.*)$/mg)].map(([, id]) => String(id))

t.test('events go out bound to their session, and only in it they are resumed from (TR-15)', async (t) => {
  const one = await host(t)
  const session = await sessionOf(one)
  const other = await sessionOf(one, 'alice', 'session-2')
  one.answer = stream(['event-1', 'event-2'])
  const [, last = ''] = idsOf((await get(one, 'alice', { 'mcp-session-id': session })).body)
  one.seen.length = 0

  t.match(last, /^event-2\.[\w-]{43}$/)
  t.equal((await get(one, 'alice', { 'mcp-session-id': session, 'last-event-id': last })).statusCode, 200)
  t.match(one.seen.pop(), { session: 'session-1', event: 'event-2' })

  const foreign = await get(one, 'bob', { 'mcp-session-id': await sessionOf(one, 'bob', 'session-3'), 'last-event-id': last })
  t.equal(foreign.statusCode, 404)
  t.equal((await get(one, 'alice', { 'mcp-session-id': other, 'last-event-id': last })).statusCode, 404)
  t.equal((await get(one, 'alice', { 'last-event-id': last })).statusCode, 404)
  t.equal((await get(one, 'alice', { 'mcp-session-id': session, 'last-event-id': 'event-2' })).statusCode, 404)
  t.same(one.seen, [])
})

t.test('events of the answer to initialize belong to the session that it opens', async (t) => {
  const one = await host(t)
  one.answer = stream(['event-1'], { 'mcp-session-id': 'session-1' })
  const opened = await post(one, 'alice', call('initialize'))
  const session = String(opened.headers['mcp-session-id'])

  t.equal((await get(one, 'alice', { 'mcp-session-id': session, 'last-event-id': String(idsOf(opened.body)[0]) })).statusCode, 200)
  t.match(one.seen.pop(), { session: 'session-1', event: 'event-1' })
})

t.test('events of a stream without a session can be resumed without one', async (t) => {
  const one = await host(t)
  one.answer = stream(['event-1'])
  const [last = ''] = idsOf((await get(one, 'alice', {})).body)

  t.equal((await get(one, 'alice', { 'last-event-id': last })).statusCode, 200)
  t.match(one.seen.pop(), { event: 'event-1' })
  t.equal((await get(one, 'bob', { 'last-event-id': last })).statusCode, 404)
})

/** A task of Alice's, as she was given it. */
async function taskOf (host: Host, user = 'alice'): Promise<string> {
  host.answer = () => json({ jsonrpc: '2.0', id: 1, result: { task: { taskId: 'task-1', status: 'working' } } })
  const made = await post(host, user, call('tools/call', { name: 'whoami', task: {} }))
  host.seen.length = 0
  return made.json().result.task.taskId
}

t.test('a task is reached by the principal that it was given to, and its answers name it as it was given (RS-33)', async (t) => {
  const one = await host(t)
  const taskId = await taskOf(one)
  one.answer = () => json({ jsonrpc: '2.0', id: 1, result: { taskId: 'task-1', status: 'working' } })

  t.match(taskId, /^task-1\.[\w-]{43}$/)
  for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel']) {
    const answer = await post(one, 'alice-again', call(method, { taskId }))
    t.match(answer.json(), { result: { taskId } })
    t.match(one.seen.pop(), { body: { params: { taskId: 'task-1' } } })
  }
})

t.test('a task of somebody else is as unknown as one that never was, and no handler runs (RS-33)', async (t) => {
  const one = await host(t)
  const taskId = await taskOf(one)
  const unknown = await post(one, 'bob', call('tasks/get', { taskId: 'made-up' }))

  t.equal(unknown.statusCode, 400)
  t.match(unknown.json(), { id: 1, error: { code: -32602, message: 'Unknown task' } })
  for (const method of ['tasks/get', 'tasks/result', 'tasks/update', 'tasks/cancel']) {
    for (const user of ['bob', 'alice-elsewhere', 'machine']) {
      t.equal((await post(one, user, call(method, { taskId }))).body, unknown.body)
    }
    t.equal((await post(one, 'alice', call(method, { taskId: 'task-1' }))).body, unknown.body)
  }
  t.same(one.seen, [])
})

t.test('one task of somebody else in a batch refuses all of it (RS-31)', async (t) => {
  const one = await host(t)
  const taskId = await taskOf(one)
  const own = call('tasks/get', { taskId })

  t.equal((await post(one, 'alice', [own, call('ping', {}, 2)])).statusCode, 200)
  t.match(one.seen.pop(), { body: [{ params: { taskId: 'task-1' } }, { method: 'ping' }] })
  t.equal((await post(one, 'alice', [call('ping'), call('tasks/get', { taskId: 'task-1' })])).statusCode, 400)
  t.same(one.seen, [])
})

t.test('revision 2026-07-28: the header that repeats the task says what the body says', async (t) => {
  const one = await host(t)
  const taskId = await taskOf(one)

  t.equal((await post(one, 'alice', modern('tasks/get', { taskId }), mirrored('tasks/get', taskId))).statusCode, 200)
  t.match(one.seen.pop(), { name: 'task-1', body: { params: { taskId: 'task-1' } } })
})

t.test('revision 2026-07-28: a task whose name no header can carry is encoded there', async (t) => {
  const one = await host(t)
  one.answer = () => json({ jsonrpc: '2.0', id: 1, result: { resultType: 'task', taskId: 'Aufgabe für dich' } })
  const made = await post(one, 'alice', modern('tools/call', { name: 'whoami' }), mirrored('tools/call', 'whoami'))
  const { taskId } = made.json().result
  const name = `=?base64?${Buffer.from(taskId).toString('base64')}?=`

  t.equal((await post(one, 'alice', modern('tasks/get', { taskId }), mirrored('tasks/get', name))).statusCode, 200)
  t.match(one.seen.pop(), {
    name: `=?base64?${Buffer.from('Aufgabe für dich').toString('base64')}?=`, body: { params: { taskId: 'Aufgabe für dich' } }
  })
})

t.test('a call that belongs to a task of somebody else belongs to none', async (t) => {
  const one = await host(t)
  const taskId = await taskOf(one)
  const related = call('tools/call', { name: 'whoami', _meta: { [RELATED]: { taskId } } })

  await post(one, 'alice', related)
  await post(one, 'bob', related)
  t.match(one.seen, [{ body: { params: { _meta: { [RELATED]: { taskId: 'task-1' } } } } }, { body: { params: { _meta: {} } } }])
  t.notOk(JSON.stringify(one.seen[1]).includes('task-1'))
})

t.test('without the option tasks are denied to everybody, and the list of them without its own', async (t) => {
  for (const [tasks, methods] of [[false, ['tasks/get', 'tasks/list']], [true, ['tasks/list']], [{ list: false }, ['tasks/list']]] as const) {
    const one = await host(t, { tasks })
    for (const method of methods) {
      const taskId = await taskOf(one)
      t.match((await post(one, 'alice', call(method, { taskId }))).json(), { error: { code: -32601 } }, method)
      t.equal((await post(one, 'alice', [call(method, { taskId })])).statusCode, 403)
    }
    t.same(one.seen, [])
  }
})

t.test('a host that lists the caller\'s own tasks may open their list, and they go out bound', async (t) => {
  const one = await host(t, { tasks: { list: true } })
  const taskId = await taskOf(one)
  one.answer = () => json({ jsonrpc: '2.0', id: 1, result: { tasks: [{ taskId: 'task-1' }] } })

  t.same((await post(one, 'alice', call('tasks/list'))).json().result.tasks, [{ taskId }])
})

const suspended = () => json({ jsonrpc: '2.0', id: 1, result: { resultType: 'input_required', inputRequests: {}, requestState: 'step 1' } })

/** The state of a call of Alice's, as she was given it. */
async function stateOf (host: Host, params: Answer = { name: 'search', arguments: { text: 'a' } }): Promise<string> {
  host.answer = suspended
  const answer = await post(host, 'alice', modern('tools/call', params), mirrored('tools/call', String(params.name)))
  host.seen.length = 0
  return answer.json().result.requestState
}

interface Resumed {
  readonly user?: string
  readonly method?: string
  readonly params?: Answer
  readonly requestState: string
}

const resume = async (host: Host, input: Resumed) => {
  const { user = 'alice', method = 'tools/call', requestState } = input
  const { params = { name: 'search', arguments: { text: 'a' } } } = input
  const again = modern(method, { ...params, requestState, inputResponses: {} })
  return await post(host, user, again, mirrored(method, String(params.name)))
}

t.test('a requestState goes out bound and comes back for the same request', async (t) => {
  const one = await host(t, { tasks: false })
  const requestState = await stateOf(one)

  t.not(requestState, 'step 1')
  t.equal((await resume(one, { requestState })).statusCode, 200)
  t.match(one.seen.pop(), { body: { params: { requestState: 'step 1', inputResponses: {} } } })
  const again = await stateOf(one, { name: 'whoami' })
  t.equal((await resume(one, { requestState: again, params: { name: 'whoami' } })).statusCode, 200)
})

t.test('a requestState is nobody else\'s, and for nothing else, and no handler runs (RS-33)', async (t) => {
  const one = await host(t)
  const requestState = await stateOf(one)
  const refused = await resume(one, { requestState: 'step 1' })

  t.equal(refused.statusCode, 400)
  t.match(refused.json(), { id: 1, error: { code: -32602, message: 'Invalid or expired requestState' } })
  const elsewhere: Record<string, Parameters<typeof resume>[1]> = {
    'another user': { user: 'bob', requestState },
    'another client of the same user': { user: 'alice-elsewhere', requestState },
    'another tool': { params: { name: 'whoami', arguments: { text: 'a' } }, requestState },
    'a prompt': { method: 'prompts/get', params: { name: 'summary', arguments: { text: 'a' } }, requestState },
    'other arguments': { params: { name: 'search', arguments: { text: 'b' } }, requestState },
    'a state that was changed': { requestState: `${requestState}-TAMPERED` }
  }
  for (const [where, input] of Object.entries(elsewhere)) t.equal((await resume(one, input)).body, refused.body, where)
  const other = await post(one, 'alice', modern('tools/list', { requestState }), mirrored('tools/list', ''))
  t.not(other.statusCode, 200)
  t.same(one.seen, [])
})

t.test('a requestState in the answer to a request that has none is good for nothing', async (t) => {
  const one = await host(t)
  one.answer = suspended
  const { requestState } = (await post(one, 'alice', call('tools/list'))).json().result

  t.equal((await resume(one, { requestState })).statusCode, 400)
})

t.test('a requestState ends with its lifetime', async (t) => {
  const one = await host(t, { stateLifetime: 60 })
  const requestState = await stateOf(one)

  one.clock.advance(59)
  t.equal((await resume(one, { requestState })).statusCode, 200)
  one.clock.advance(1)
  t.equal((await resume(one, { requestState })).statusCode, 400)
})

t.test('what one instance bound another with the same secret knows, and one with another secret does not', async (t) => {
  const one = await host(t)
  const session = await sessionOf(one)
  const statusAt = async (secrets: readonly string[] | undefined): Promise<number> => {
    const other = await host(t, secrets === undefined ? {} : { secrets })
    return (await post(other, 'alice', call('tools/list'), { 'mcp-session-id': session })).statusCode
  }

  t.equal(await statusAt([SECRET]), 200)
  t.equal(await statusAt(['a new secret of more than thirty-two characters', SECRET]), 200)
  t.equal(await statusAt(['a new secret of more than thirty-two characters']), 404)
})

t.test('a body that is no object, and a notification without params, pass as they are', async (t) => {
  const one = await host(t)
  const notification = { jsonrpc: '2.0', method: 'notifications/initialized' }
  const answer = { jsonrpc: '2.0', id: 1, result: { action: 'accept' } }

  await post(one, 'alice', notification)
  await post(one, 'alice', answer)
  t.same(one.seen.map(({ body }) => body), [notification, answer])
})
