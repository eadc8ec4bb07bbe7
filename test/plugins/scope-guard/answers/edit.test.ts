import t from 'tap'
import {
  combine, editId, editMessages, readMessages, type Json, type MessageEdit
} from '../../../../lib/plugins/scope-guard/answers/edit.js'

const same: MessageEdit = (message) => message
const seen: MessageEdit = (message) => ({ ...message, seen: true })
const later: MessageEdit = async (message) => ({ ...message, later: true })
const drop: MessageEdit = (message) => message.id === 1 ? null : message
const dropLater: MessageEdit = async () => null
const never: MessageEdit = () => { throw new Error('reached') }

async function edited (text: string, ...edits: readonly MessageEdit[]): Promise<string | null> {
  const messages = readMessages(text)
  if (messages === null) throw new Error('not read')
  return await editMessages(edits, messages)
}

for (const text of ['', 'x', '1', '"x"', 'null', '[1]', '[[{}]]', '{}{}', '\uFEFF{}']) {
  t.test(`what is no message is not read: ${JSON.stringify(text)}`, async (t) => { t.equal(readMessages(text), null) })
}

type Case = readonly [says: string, text: string, edits: readonly MessageEdit[], after: string | null]

const CASES: readonly Case[] = [
  ['nothing changed: the very text', '{ "id" : 1.0 }', [same], '{ "id" : 1.0 }'],
  ['one edit', '{"id":1}', [seen], '{"id":1,"seen":true}'],
  ['edits in their order', '{"id":1}', [seen, later], '{"id":1,"seen":true,"later":true}'],
  ['a promise before others', '{"id":1}', [later, seen], '{"id":1,"later":true,"seen":true}'],
  ['dropped', '{"id":1}', [drop, never], null],
  ['dropped later', '{"id":1}', [dropLater, never], null],
  ['a batch without change: the very text', '[ {"id":1} ]', [same], '[ {"id":1} ]'],
  ['a batch', '[{"id":1},{"id":2}]', [seen, later], '[{"id":1,"seen":true,"later":true},{"id":2,"seen":true,"later":true}]'],
  ['one of a batch dropped', '[{"id":1},{"id":2}]', [drop], '[{"id":2}]'],
  ['all of a batch dropped', '[{"id":1}]', [drop], null],
  ['a batch of nothing', '[]', [seen], '[]']
]

for (const [says, text, edits, after] of CASES) {
  t.test(`messages after their edits: ${says}`, async (t) => { t.equal(await edited(text, ...edits), after) })
}

t.test('a key named __proto__ is a key like others', async (t) => {
  t.equal(await edited('{"__proto__":{"a":1}}', seen), '{"__proto__":{"a":1},"seen":true}')
})

t.test('edits are combined in the order in which they were given', async (t) => {
  const message = (value: Json) => value
  const combined = combine([
    { headers: { a: '1' }, sessionId: (id) => `${id}.a`, optional: true },
    { headers: { b: '2' }, sessionId: (id) => `${id}.b`, eventId: (id) => id, message, optional: true },
    { onStream: () => {} }
  ])

  t.same(combined.headers, [['a', '1'], ['b', '2']])
  t.equal(editId(combined.sessionIds, 'x'), 'x.a.b')
  t.match([combined.eventIds.length, combined.messages.length, combined.onStream.length], [1, 1, 1])
})

t.test('one message that has to be read makes the whole answer so', async (t) => {
  const message = (value: Json) => value

  t.equal(combine([{ message, optional: true }]).strict, false)
  t.equal(combine([{ message, optional: true }, { message }]).strict, true)
  t.equal(combine([{ message, optional: true }, { headers: {} }]).strict, false)
})
