import assert from 'node:assert/strict'
import { idsOf, keyOf, KIND, listAll, NOW, recordOf, type Checks } from './scene.js'

const IDS = Array.from({ length: 25 }, (_, position) => `id-${String(position).padStart(2, '0')}`)
const ALICE = { ...KIND, where: { name: 'subject', value: 'alice' } }
const BOB = { ...KIND, where: { name: 'subject', value: 'bob' } }

/** Neither in the order of the ids nor in its reverse. */
const SHUFFLED = [1, 0, 2].flatMap((rest) => IDS.filter((_, position) => position % 3 === rest))

export const listChecks: Checks = {
  'pages of every size show each record once, in the order of the ids': async ({ store }) => {
    for (const id of SHUFFLED) await store.add(recordOf(id, { index: { subject: 'alice' } }), NOW)

    for (const limit of [1, 2, 7, 24, 25, 26, 1000]) {
      assert.deepEqual(idsOf(await listAll(store, { ...KIND, limit })), IDS)
      assert.deepEqual(idsOf(await listAll(store, { ...ALICE, limit })), IDS)
    }
  },

  'the last page has no cursor, not even when it is full': async ({ store }) => {
    for (const id of IDS.slice(0, 4)) await store.add(recordOf(id, { index: { subject: 'alice' } }), NOW)

    for (const query of [KIND, ALICE]) {
      const first = await store.list({ ...query, limit: 2 }, NOW)
      const second = await store.list({ ...query, limit: 2, after: String(first.cursor) }, NOW)
      assert.equal(typeof first.cursor, 'string')
      assert.deepEqual([idsOf(second.records), second.cursor], [IDS.slice(2, 4), null])
    }
  },

  'an empty list has no cursor': async ({ store }) => {
    assert.deepEqual(await store.list({ ...KIND, limit: 1 }, NOW), { records: [], cursor: null })
    assert.deepEqual(await store.list({ ...ALICE, limit: 1 }, NOW), { records: [], cursor: null })
  },

  'records that come, go or die between two pages make no other one skipped or repeated': async ({ store }) => {
    for (const id of IDS) await store.add(recordOf(id, { expiresAt: id === 'id-05' ? NOW + 1 : null, index: { subject: 'alice' } }), NOW)

    for (const query of [KIND, ALICE]) {
      const { records, cursor } = await store.list({ ...query, limit: 4 }, NOW)
      assert.deepEqual(idsOf(records), IDS.slice(0, 4))
      await store.remove(keyOf('id-03'), NOW)
      await store.remove(keyOf('id-00'), NOW)
      await store.add(recordOf('id-01-new', { index: { subject: 'alice' } }), NOW)

      const rest = await store.list({ ...query, limit: 1000, after: String(cursor) }, NOW + 1)
      assert.deepEqual(idsOf(rest.records), IDS.slice(4).filter((id) => id !== 'id-05'))

      for (const id of ['id-00', 'id-03']) await store.add(recordOf(id, { index: { subject: 'alice' } }), NOW)
      await store.remove(keyOf('id-01-new'), NOW)
    }
  },

  'the dead are passed over, however many': async ({ store }) => {
    for (const id of IDS) {
      await store.add(recordOf(id, { expiresAt: id < 'id-23' ? NOW + 1 : null, index: { subject: 'alice' } }), NOW)
    }

    for (const query of [KIND, ALICE]) {
      const { records, cursor } = await store.list({ ...query, limit: 2 }, NOW + 1)
      assert.deepEqual([idsOf(records), cursor], [['id-23', 'id-24'], null])
    }
  },

  'a list shows whole records': async ({ store }) => {
    const record = recordOf('a', { expiresAt: NOW + 60, index: { subject: 'alice' }, body: '"body"' })
    await store.add(record, NOW)
    await store.replace({ ...record, version: 1 }, NOW)

    for (const query of [KIND, ALICE]) {
      const [found] = await listAll(store, query)
      assert.deepEqual({ ...found }, { ...record, version: 2 })
    }
  },

  'a record is found by each of its index values, and by no other name or value': async ({ store }) => {
    await store.add(recordOf('a', { index: { subject: 'alice', client: 'bob' } }), NOW)
    await store.add(recordOf('b', { index: { subject: 'bob', __proto__x: 'alice', empty: '' } }), NOW)

    const find = async (name: string, value: string): Promise<string[]> => {
      return idsOf(await listAll(store, { ...KIND, where: { name, value } }))
    }
    assert.deepEqual(await find('subject', 'alice'), ['a'])
    assert.deepEqual(await find('client', 'bob'), ['a'])
    assert.deepEqual(await find('empty', ''), ['b'])
    for (const [name, value] of [['subject', 'ALICE'], ['subject', 'ali'], ['subject', '%'], ['client', 'alice'], ['sub', 'alice'], ['__proto__', 'alice'], ['constructor', ''], ['', ''], ['a\0', 'b']] as const) {
      assert.deepEqual(await find(name, value), [], `${name}=${value}`)
    }
  },

  'an index name may be any, __proto__ too': async ({ store }) => {
    for (const name of ['__proto__', 'constructor', 'a.b', '$', '"', "'"]) {
      await store.add(recordOf(name, { index: Object.fromEntries([[name, 'alice']]) }), NOW)

      assert.deepEqual(idsOf(await listAll(store, { ...KIND, where: { name, value: 'alice' } })), [name])
    }
  },

  'a record that gets another index value is found by the new one only': async ({ store }) => {
    await store.add(recordOf('a', { index: { subject: 'alice', client: 'c' } }), NOW)
    await store.add(recordOf('b', { index: { subject: 'alice' } }), NOW)

    await store.replace({ ...recordOf('a', { index: { subject: 'bob' } }), version: 1 }, NOW)

    assert.deepEqual(idsOf(await listAll(store, ALICE)), ['b'])
    assert.deepEqual(idsOf(await listAll(store, BOB)), ['a'])
    assert.deepEqual(await listAll(store, { ...KIND, where: { name: 'client', value: 'c' } }), [])
  },

  'a record that was taken or removed is found by no index value': async ({ store }) => {
    for (const id of ['a', 'b', 'c']) await store.add(recordOf(id, { index: { subject: 'alice' } }), NOW)
    await store.take(keyOf('a'), NOW)
    await store.remove(keyOf('b'), NOW)

    assert.deepEqual(idsOf(await listAll(store, ALICE)), ['c'])
    await store.remove(keyOf('c'), NOW)
    assert.deepEqual(await listAll(store, ALICE), [])
  },

  'removeWhere removes what its query finds, says how many, and leaves the rest': async ({ store }) => {
    for (const id of IDS) await store.add(recordOf(id, { index: { subject: id < 'id-10' ? 'alice' : 'bob' } }), NOW)
    await store.add(recordOf('dead', { expiresAt: NOW, index: { subject: 'alice' } }), NOW)

    assert.equal(await store.removeWhere({ ...KIND, where: { name: 'subject', value: 'nobody' } }, NOW), 0)
    assert.equal(await store.removeWhere({ ...KIND, where: { name: 'subject', value: '\ud800' } }, NOW), 0)
    assert.equal(await store.removeWhere(ALICE, NOW), 10)
    assert.equal(await store.removeWhere(ALICE, NOW), 0)
    assert.deepEqual(idsOf(await listAll(store, KIND)), IDS.slice(10))
    assert.equal(await store.removeWhere(KIND, NOW), 15)
    assert.deepEqual(await listAll(store, BOB), [])
  },

  'a list without a limit from 1 to 1000 is refused': async ({ store }) => {
    for (const limit of [0, -1, 1.5, 1001, NaN]) await assert.rejects(store.list({ ...KIND, limit }, NOW), RangeError)
  }
}
