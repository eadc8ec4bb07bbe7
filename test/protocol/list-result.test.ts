import t from 'tap'
import {
  filterAnswer, filterByShape, isListMethod, isOwnMessage, isUpdate, mayHoldList, updatedResource, type Keep
} from '../../lib/protocol/list-result.js'
import type { Json } from '../../lib/protocol/json-edit.js'

/** Keeps what is called `open`, of every kind. */
const keep: Keep = ({ name }) => name === 'open'

const answer = (result: unknown, more: Json = {}): Json => ({ jsonrpc: '2.0', id: 1, result, ...more })
const parsed = (text: string): Json => JSON.parse(text)
const filter = (message: Json, modern = false) => JSON.stringify(filterAnswer(message, { keep, modern }))

const LISTS: ReadonlyArray<readonly [says: string, result: string, after: string]> = [
  ['tools by name', '{"tools":[{"name":"open"},{"name":"secret"}]}', '{"tools":[{"name":"open"}]}'],
  ['prompts by name', '{"prompts":[{"name":"secret"},{"name":"open"}]}', '{"prompts":[{"name":"open"}]}'],
  ['resources by uri', '{"resources":[{"uri":"open"},{"uri":"secret","name":"open"}]}', '{"resources":[{"uri":"open"}]}'],
  ['templates by text', '{"resourceTemplates":[{"uriTemplate":"open"},{"uri":"open"}]}', '{"resourceTemplates":[{"uriTemplate":"open"}]}'],
  ['an emptied page keeps its cursor', '{"tools":[{"name":"secret"}],"nextCursor":"2"}', '{"tools":[],"nextCursor":"2"}'],
  ['all that is not a list stays', '{"_meta":{"a":[1]},"tools":[],"ttlMs":5,"x":null}', '{"_meta":{"a":[1]},"tools":[],"ttlMs":5,"x":null}'],
  ['an item stays as it is', '{"tools":[{"name":"open","tools":[{"name":"secret"}]}]}', '{"tools":[{"name":"open","tools":[{"name":"secret"}]}]}'],
  ['an item that is called twice stays twice', '{"tools":[{"name":"open"},{"name":"open"}]}', '{"tools":[{"name":"open"},{"name":"open"}]}'],
  ['a name that is no text', '{"tools":[{"name":["open"]},{"name":7},{"name":null},{"name":""}]}', '{"tools":[]}'],
  ['an item that is no object', '{"tools":["open",7,null,["open"],[{"name":"open"}]]}', '{"tools":[]}'],
  ['an item that inherits its name', '{"tools":[{"__proto__":{"name":"open"}}]}', '{"tools":[]}'],
  ['a result within a result', '{"tools":[],"result":{"tools":[{"name":"secret"}]}}', '{"tools":[],"result":{"tools":[]}}'],
  ['a list within a list', '{"x":[[{"prompts":[{"name":"secret"}]}]]}', '{"x":[[{"prompts":[]}]]}'],
  ['a list under __proto__', '{"__proto__":{"tools":[{"name":"secret"}]}}', '{"__proto__":{"tools":[]}}'],
  ['public becomes private', '{"tools":[],"cacheScope":"public","ttlMs":9}', '{"tools":[],"cacheScope":"private","ttlMs":9}'],
  ['a scope that is none becomes private', '{"tools":[],"cacheScope":7}', '{"tools":[],"cacheScope":"private"}'],
  ['the last of two equal names counts', '{"tools":[{"name":"secret","name":"open"}]}', '{"tools":[{"name":"open"}]}']
]

for (const [says, result, after] of LISTS) {
  t.test(`RS-32: an answer to a list request: ${says}`, async (t) => {
    t.equal(filter(parsed(`{"jsonrpc":"2.0","id":1,"result":${result}}`)), `{"jsonrpc":"2.0","id":1,"result":${after}}`)
  })
}

t.test('RS-32: a list of the revision 2026-07-28 is private though its server says nothing', async (t) => {
  t.equal(filter(answer({ tools: [] }), true), '{"jsonrpc":"2.0","id":1,"result":{"tools":[],"cacheScope":"private"}}')
})

t.test('an error is no list, and has no scope for caches', async (t) => {
  const error = { jsonrpc: '2.0', id: 1, error: { code: -32603, message: 'x' } }

  t.same(filterAnswer(error, { keep, modern: true }), error)
})

t.test('lists in an error, or beside a result, are filtered too', async (t) => {
  t.equal(filter({ error: { data: { tools: [{ name: 'secret' }] } } }), '{"error":{"data":{"tools":[]}}}')
  t.equal(filter({ tools: [{ name: 'secret' }] }), '{"tools":[]}')
})

for (const list of [{ secret: { name: 'secret' } }, 'secret', null, 7]) {
  t.test(`a list that is no array cannot be filtered: ${JSON.stringify(list)}`, async (t) => {
    t.throws(() => filter(answer({ tools: list })), TypeError)
  })
}

t.test('an answer to an unknown request is a list when it has the shape of one', async (t) => {
  t.same(filterByShape(answer({ tools: [{ name: 'open' }, { name: 'secret' }], nextCursor: 'x' }), keep),
    answer({ tools: [{ name: 'open' }], nextCursor: 'x' }))
  t.same(filterByShape(answer({ resources: [], cacheScope: 'public' }), keep), answer({ resources: [], cacheScope: 'private' }))
})

for (const other of [
  answer({ content: [], structuredContent: { tools: [{ name: 'secret' }] } }), answer({ capabilities: { tools: {} } }),
  answer({ tools: 'x' }), answer([{ tools: [] }]), answer(null), { error: { data: { tools: [] } } }
]) {
  t.test(`what has not the shape of a list is the very same: ${JSON.stringify(other)}`, async (t) => {
    t.equal(filterByShape(other, keep), other)
  })
}

t.test('four methods are answered with a list', async (t) => {
  t.same(['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'].map(isListMethod), [true, true, true, true])
  t.same(['tasks/list', 'roots/list', 'tools/call', undefined].map(isListMethod), [false, false, false, false])
})

t.test('a message of the server is one with a method and no answer', async (t) => {
  t.equal(isOwnMessage({ method: 'sampling/createMessage', params: {} }), true)
  t.equal(isOwnMessage({ method: 'x', result: {} }), false)
  t.equal(isOwnMessage({ method: 'x', error: {} }), false)
  t.equal(isOwnMessage({ id: 1, result: {} }), false)
  t.equal(isOwnMessage(parsed('{"__proto__":{"method":"x"}}')), false)
})

t.test('a notification that a resource has changed names it', async (t) => {
  const update = (params: unknown): Json => ({ method: 'notifications/resources/updated', params })

  t.same(updatedResource(update({ uri: 'notes://1' })), { kind: 'resource', name: 'notes://1' })
  t.equal(updatedResource(update({ uri: 7 })), null)
  t.equal(updatedResource(update(undefined)), null)
  t.equal(updatedResource({ method: 'notifications/message', params: { uri: 'notes://1' } }), null)
  t.equal(isUpdate(update({})), true)
})

t.test('a text that may hold a list is known without parsing it', async (t) => {
  for (const text of [
    '{"result":{"tools":[]}}', '{"prompts" :[]}', '"resources"', '"resourceTemplates"',
    '"notifications/resources/updated"', '"notifications\\/resources\\/updated"', '{"t\\u006fols":[]}'
  ]) t.equal(mayHoldList(text), true, text)
  for (const text of ['', 'Session not found', JSON.stringify({ content: [{ text: '{"tools":[]}' }] })]) {
    t.equal(mayHoldList(text), false, text)
  }
})
