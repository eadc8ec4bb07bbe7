import fc from 'fast-check'
import t from 'tap'
import { isProtocolMethod, readOperations, RESPONSE } from '../../lib/protocol/mcp-message.js'

const request = (method: unknown, params?: unknown): object => ({ jsonrpc: '2.0', id: 1, method, params })
const one = (method: string, component: object | null = null): object =>
  ({ malformed: false, operations: [{ type: 'message', method, component }], batch: false, id: 1 })

const COMPONENTS: [string, unknown, object][] = [
  ['tools/call', { name: 'add_note', arguments: { name: 'other' } }, { kind: 'tool', name: 'add_note' }],
  ['prompts/get', { name: 'daily' }, { kind: 'prompt', name: 'daily' }],
  ['resources/read', { uri: 'notes://1' }, { kind: 'resource', name: 'notes://1' }],
  ['resources/subscribe', { uri: 'notes://1' }, { kind: 'resource', name: 'notes://1' }],
  ['resources/unsubscribe', { uri: 'notes://1' }, { kind: 'resource', name: 'notes://1' }],
  ['completion/complete', { ref: { type: 'ref/prompt', name: 'daily' } }, { kind: 'prompt', name: 'daily' }],
  ['completion/complete', { ref: { type: 'ref/resource', uri: 'notes://{id}' } }, { kind: 'resource', name: 'notes://{id}' }]
]

for (const [method, params, component] of COMPONENTS) {
  t.test(`${method} names a component: ${JSON.stringify(component)}`, async (t) => {
    t.strictSame(readOperations(request(method, params)), one(method, component))
  })
}

t.test('a component is named exactly as sent', async (t) => {
  for (const name of ['Add_Note', ' add_note', 'ａdd_note', '=?base64?YWRkX25vdGU=?=', '__proto__', 'constructor', '\ud800']) {
    t.strictSame(readOperations(request('tools/call', { name })), one('tools/call', { kind: 'tool', name }))
  }
})

const NAMELESS: Record<string, [string, unknown]> = {
  'a tool call without params': ['tools/call', undefined],
  'a tool call with a list for params': ['tools/call', ['add_note']],
  'a tool call with text for params': ['tools/call', 'add_note'],
  'a tool call without name': ['tools/call', {}],
  'a tool call with an empty name': ['tools/call', { name: '' }],
  'a tool call with a list for a name': ['tools/call', { name: ['add_note'] }],
  'a tool call with an object for a name': ['tools/call', { name: { toString: 'add_note' } }],
  'a tool call with a name of 2049 characters': ['tools/call', { name: 'x'.repeat(2049) }],
  'a resource by name instead of URI': ['resources/read', { name: 'notes://1' }],
  'a completion without reference': ['completion/complete', {}],
  'a completion of an unknown kind': ['completion/complete', { ref: { type: 'ref/tool', name: 'x' } }],
  'a completion of a prompt by URI': ['completion/complete', { ref: { type: 'ref/prompt', uri: 'x' } }],
  'a listening with text for a filter': ['subscriptions/listen', { notifications: { resourceSubscriptions: 'notes://1' } }],
  'a listening to what is no resource': ['subscriptions/listen', { notifications: { resourceSubscriptions: ['a', 1] } }],
  'a listening to a thousand and one resources': [
    'subscriptions/listen', { notifications: { resourceSubscriptions: Array.from({ length: 1001 }, () => 'a') } }
  ]
}

for (const [name, [method, params]] of Object.entries(NAMELESS)) {
  t.test(`${name} is refused as invalid params, with the id of the request`, async (t) => {
    t.match(readOperations(request(method, params)), { malformed: true, code: -32602, id: 1 })
  })
}

t.test('listening is one operation for itself and one for each resource', async (t) => {
  const params = { notifications: { toolsListChanged: true, resourceSubscriptions: ['notes://1', 'notes://2'] } }

  t.strictSame(readOperations(request('subscriptions/listen', params)), {
    malformed: false,
    operations: [
      { type: 'message', method: 'subscriptions/listen', component: null },
      { type: 'message', method: 'subscriptions/listen', component: { kind: 'resource', name: 'notes://1' } },
      { type: 'message', method: 'subscriptions/listen', component: { kind: 'resource', name: 'notes://2' } }
    ],
    batch: false,
    id: 1
  })
})

t.test('a name of 2048 characters and a thousand resources are read', async (t) => {
  const params = { notifications: { resourceSubscriptions: Array.from({ length: 1000 }, () => 'x'.repeat(2048)) } }

  t.equal(readOperations(request('subscriptions/listen', params)).malformed, false)
})

t.test('listening to lists alone is one operation', async (t) => {
  for (const params of [undefined, {}, { notifications: { toolsListChanged: true } }]) {
    t.strictSame(readOperations(request('subscriptions/listen', params)), one('subscriptions/listen'))
  }
})

t.test('methods of the protocol name no component and are known', async (t) => {
  const methods = ['initialize', 'ping', 'server/discover', 'tools/list', 'prompts/list', 'resources/list', 'tasks/get',
    'resources/templates/list', 'tasks/cancel', 'tasks/result', 'tasks/list', 'tasks/update', 'logging/setLevel',
    'notifications/initialized', 'notifications/cancelled', 'notifications/progress', 'notifications/roots/list_changed']
  for (const method of methods) {
    t.strictSame(readOperations(request(method, { name: 'add_note' })), one(method))
    t.equal(isProtocolMethod(method), true, method)
  }
})

t.test('an unknown method is read, and is not of the protocol', async (t) => {
  for (const method of ['', 'tools/Call', 'tools/call ', 'TOOLS/LIST', 'notes/wipe', 'notifications/custom', 'constructor', '__proto__']) {
    t.strictSame(readOperations(request(method, { name: 'add_note' })), one(method))
    t.equal(isProtocolMethod(method), false, method)
  }
})

t.test('methods that name a component are not open as methods alone', async (t) => {
  for (const [method] of COMPONENTS) t.equal(isProtocolMethod(method), false, method)
})

t.test('the answer to one of our requests is an operation of its own', async (t) => {
  for (const answer of [{ result: {} }, { error: { code: 1, message: 'x' } }]) {
    t.strictSame(readOperations({ jsonrpc: '2.0', id: 7, ...answer }), {
      malformed: false, operations: [{ type: 'message', method: RESPONSE, component: null }], batch: false, id: null
    })
  }
})

t.test('no request can pass for an answer', async (t) => {
  t.match(readOperations(request(RESPONSE)), { malformed: true, code: -32600 })
  t.strictSame(readOperations({ ...request('notes/wipe'), result: {} }), one('notes/wipe'))
})

t.test('ids are text or number and come back, also 0 and the empty text', async (t) => {
  for (const id of ['a', '', 0, 1.5]) t.match(readOperations({ jsonrpc: '2.0', id, method: 'ping' }), { malformed: false, id })
})

t.test('a notification has no id', async (t) => {
  t.match(readOperations({ jsonrpc: '2.0', method: 'notifications/initialized' }), { malformed: false, id: null })
})

const MALFORMED: Record<string, [unknown, number]> = {
  'no body': [undefined, -32700],
  null: [null, -32600],
  text: ['{"jsonrpc":"2.0","method":"ping"}', -32600],
  bytes: [Buffer.from('{"jsonrpc":"2.0","method":"ping"}'), -32600],
  'a number': [1, -32600],
  'an empty object': [{}, -32600],
  'another version of JSON-RPC': [{ jsonrpc: '1.0', id: 1, method: 'ping' }, -32600],
  'no version': [{ id: 1, method: 'ping' }, -32600],
  'neither method nor result': [{ jsonrpc: '2.0', id: 1 }, -32600],
  'a method that is a list': [request(['tools/call'], { name: 'x' }), -32600],
  'a method that is null': [request(null), -32600],
  'an id that is an object': [{ jsonrpc: '2.0', id: {}, method: 'ping' }, -32600],
  'an id that is true': [{ jsonrpc: '2.0', id: true, method: 'ping' }, -32600],
  'an empty batch': [[], -32600],
  'a batch of a hundred and one': [Array.from({ length: 101 }, () => request('ping')), -32600],
  'a batch inside a batch': [[[request('ping')]], -32600],
  'a batch with one bad element': [[request('ping'), null], -32600],
  'a batch with a tool call without name': [[request('ping'), request('tools/call', {})], -32602]
}

for (const [name, [body, code]] of Object.entries(MALFORMED)) {
  t.test(`a body of ${name} is refused with ${code}`, async (t) => {
    t.match(readOperations(body), { malformed: true, code, reason: /./ })
  })
}

t.test('the error for a batch refers to no id', async (t) => {
  t.match(readOperations([request('ping'), request('tools/call', {})]), { malformed: true, id: null })
})

t.test('a batch is every operation of it, in order', async (t) => {
  const batch = [request('tools/call', { name: 'read' }), request('notes/wipe'), { jsonrpc: '2.0', method: 'notifications/initialized' },
    request('subscriptions/listen', { notifications: { resourceSubscriptions: ['notes://1'] } }), { jsonrpc: '2.0', id: 2, result: {} }]

  const message = readOperations(batch)

  t.match(message, { malformed: false, batch: true, id: null })
  t.strictSame(message.malformed ? [] : message.operations.map((operation) => operation.type === 'message' && operation.method),
    ['tools/call', 'notes/wipe', 'notifications/initialized', 'subscriptions/listen', 'subscriptions/listen', RESPONSE])
})

t.test('a batch of a hundred is read', async (t) => {
  t.equal(readOperations(Array.from({ length: 100 }, () => request('ping'))).malformed, false)
})

const listening = (resources: number) =>
  request('subscriptions/listen', { notifications: { resourceSubscriptions: Array.from({ length: resources }, () => 'notes://1') } })

t.test('a batch of eleven hundred operations is read, and one of more is refused', async (t) => {
  const most = [listening(1000), listening(1), ...Array.from({ length: 97 }, () => request('ping'))]

  t.equal(readOperations(most).malformed, false)
  t.match(readOperations([...most, request('ping')]), { malformed: true, code: -32600, reason: 'batch of too many operations', id: null })
})

t.test('operations of the protocol are shared and cannot be changed', async (t) => {
  const message = readOperations(request('ping'))

  t.equal(message.malformed, false)
  if (!message.malformed) t.ok(Object.isFrozen(message.operations[0]))
})

const methods = fc.oneof(fc.constantFrom('tools/call', 'tools/list', 'resources/read', 'completion/complete', 'notes/wipe', RESPONSE), fc.anything())
const params = fc.oneof(fc.record({ name: fc.anything(), uri: fc.anything(), ref: fc.anything() }), fc.anything())
const messages = fc.oneof(
  fc.record({ jsonrpc: fc.constant('2.0'), id: fc.anything(), method: methods, params }, { requiredKeys: ['jsonrpc'] }),
  fc.anything({ withNullPrototype: true })
)

t.test('whatever is sent is read or refused, and read means as many operations as messages', async () => {
  fc.assert(fc.property(fc.oneof(messages, fc.array(messages, { maxLength: 5 })), (body) => {
    const message = readOperations(body)
    if (message.malformed) return message.reason !== ''
    return message.operations.length === (Array.isArray(body) ? body.length : 1)
  }), { numRuns: 2000 })
})

const batches = fc.array(messages.filter((body) => !Array.isArray(body)), { minLength: 1, maxLength: 5 })

t.test('a batch is refused exactly when one of its elements would be', async () => {
  fc.assert(fc.property(batches, (batch) =>
    readOperations(batch).malformed === batch.some((element) => readOperations(element).malformed)))
})
