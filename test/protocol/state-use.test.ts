import t from 'tap'
import { maySuspend, requestOf, stateUseOf } from '../../lib/protocol/state-use.js'

const request = (method: string, params: unknown) => ({ jsonrpc: '2.0', id: 1, method, params })

t.test('a state is good for the method, the component and the arguments of its request', async (t) => {
  t.same(stateUseOf(request('tools/call', { name: 'a', arguments: { b: 1 }, _meta: {} })), ['tools/call', 'a', '{"b":1}'])
  t.same(stateUseOf(request('prompts/get', { name: 'a', uri: 'b' })), ['prompts/get', 'a', '{}'])
  t.same(stateUseOf(request('resources/read', { name: 'a', uri: 'b' })), ['resources/read', 'b', '{}'])
  t.same(stateUseOf(request('tools/call', { name: 1 })), ['tools/call', '', '{}'])
})

t.test('what brings a state back is the same request, whatever input it has gathered', async (t) => {
  const again = request('tools/call', { name: 'a', arguments: { b: 1 }, requestState: 'x', inputResponses: {} })

  t.same(stateUseOf(again), stateUseOf(request('tools/call', { name: 'a', arguments: { b: 1 } })))
})

t.test('no other request has a state', async (t) => {
  const nested = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)

  const others = [
    undefined, null, 'a', [], {}, request('tools/list', {}), request('tools/call', undefined), request('tools/call', []),
    { params: { name: 'a' } }, request('tools/call', { name: 'a', arguments: nested })
  ]
  for (const other of others) t.equal(stateUseOf(other), null)
})

t.test('three methods may be answered with a state', async (t) => {
  for (const method of ['tools/call', 'prompts/get', 'resources/read']) t.equal(maySuspend(method), true)
  for (const method of ['tools/list', 'tasks/get', 'Tools/call', '']) t.equal(maySuspend(method), false)
})

t.test('an answer belongs to the request that was sent, in a batch to the one with its id', async (t) => {
  const one = request('ping', {})
  const two = { ...one, id: 2 }

  t.equal(requestOf(one, { id: 'whatever' }), one)
  t.equal(requestOf([one, 'odd', two], { id: 2 }), two)
  t.equal(requestOf([one], { id: 2 }), undefined)
  t.equal(requestOf(undefined, { id: 2 }), undefined)
})
