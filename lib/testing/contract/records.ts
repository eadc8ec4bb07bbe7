import assert from 'node:assert/strict'
import { idsOf, keyOf, KIND, listAll, NOW, recordOf, type Checks } from './scene.js'

const SEPARATORS = [':', '/', '|', '.', ',', '-', '_', ' ', '\u0001', '{', '}']

const ODD_IDS = [
  'a', 'A', 'á', 'a\u0301', ' a', 'a ', 'ß', 'ss', '0', '00', '1e3', "';--", '"', '`', '\\', '%', '_', '*', '?', '[a]',
  '\n', '\r\n', '\t', '{}', 'null', 'undefined', '__proto__', 'constructor', 'toString', '😀', '\uffff', 'x'.repeat(512)
]

/** Keys that no engine could keep exactly. */
const BAD_NAMES = ['', 'a\0b', '\ud800', 'a\udfff', 'x'.repeat(513)]

export const recordChecks: Checks = {
  'get answers what was added, as version 1': async ({ store }) => {
    const record = recordOf('a', { expiresAt: NOW + 60, index: { subject: 'älice', client: '' }, body: '{"text":"naïve 😀 \\u0000"}' })

    assert.equal(await store.add(record, NOW), true)

    assert.deepEqual({ ...await store.get(keyOf('a'), NOW) }, { ...record, version: 1 })
  },

  'no verb finds a record that is not there': async ({ store }) => {
    assert.equal(await store.get(keyOf('a'), NOW), null)
    assert.equal(await store.take(keyOf('a'), NOW), null)
    assert.equal(await store.remove(keyOf('a'), NOW), false)
    assert.equal(await store.replace({ ...recordOf('a'), version: 1 }, NOW), false)
    assert.equal(await store.get(keyOf('a'), NOW), null)
  },

  'add never overwrites a held record': async ({ store }) => {
    await store.add(recordOf('a', { body: '"first"' }), NOW)

    assert.equal(await store.add(recordOf('a', { body: '"second"' }), NOW), false)

    assert.equal((await store.get(keyOf('a'), NOW))?.body, '"first"')
  },

  'replace puts body, expiry and index in place and counts the version up': async ({ store }) => {
    await store.add(recordOf('a', { index: { subject: 'alice' } }), NOW)
    const changed = recordOf('a', { expiresAt: NOW + 9, index: { client: 'c' }, body: '2' })

    assert.equal(await store.replace({ ...changed, version: 1 }, NOW), true)

    assert.deepEqual({ ...await store.get(keyOf('a'), NOW) }, { ...changed, version: 2 })
  },

  'the version that an engine tells at once is the one that get answers': async ({ store }) => {
    const { versionOf } = store
    if (versionOf === undefined) return
    assert.equal(versionOf(keyOf('a'), NOW), undefined)
    await store.add(recordOf('a', { expiresAt: NOW + 60 }), NOW)
    assert.equal(versionOf(keyOf('a'), NOW), 1)
    await store.replace({ ...recordOf('a', { expiresAt: NOW + 60 }), version: 1 }, NOW)
    assert.equal(versionOf(keyOf('a'), NOW + 59), 2)
    assert.equal(versionOf(keyOf('a'), NOW + 60), undefined)
    await store.remove(keyOf('a'), NOW)
    assert.equal(versionOf(keyOf('a'), NOW), undefined)
  },

  'replace with another version than the held one changes nothing': async ({ store }) => {
    await store.add(recordOf('a'), NOW)
    await store.replace({ ...recordOf('a', { body: '2' }), version: 1 }, NOW)

    for (const version of [0, 1, 3]) {
      assert.equal(await store.replace({ ...recordOf('a', { body: '3' }), version }, NOW), false)
    }

    assert.equal((await store.get(keyOf('a'), NOW))?.body, '2')
  },

  'take answers the record as it was, once': async ({ store }) => {
    const record = recordOf('a', { expiresAt: NOW + 60, index: { subject: 'alice' }, body: '1' })
    await store.add(record, NOW)

    assert.deepEqual({ ...await store.take(keyOf('a'), NOW) }, { ...record, version: 1 })
    assert.equal(await store.take(keyOf('a'), NOW), null)
    assert.equal(await store.get(keyOf('a'), NOW), null)
  },

  'remove answers true once': async ({ store }) => {
    await store.add(recordOf('a'), NOW)

    assert.equal(await store.remove(keyOf('a'), NOW), true)
    assert.equal(await store.remove(keyOf('a'), NOW), false)
  },

  'a record that was taken or removed is not revived by replace and may be added again as version 1': async ({ store }) => {
    await store.add(recordOf('a'), NOW)
    await store.take(keyOf('a'), NOW)
    assert.equal(await store.replace({ ...recordOf('a'), version: 1 }, NOW), false)

    assert.equal(await store.add(recordOf('a'), NOW), true)

    assert.equal((await store.get(keyOf('a'), NOW))?.version, 1)
  },

  'the same id of another tenant or kind is another record, for every verb': async ({ store }) => {
    const places = [KIND, { ...KIND, tenant: 'other' }, { ...KIND, kind: 'other' }]
    for (const place of places) {
      assert.equal(await store.add({ ...recordOf('a', { index: { subject: 'alice' } }), ...place, body: JSON.stringify(place) }, NOW), true)
    }
    for (const place of places) {
      assert.equal((await store.get({ ...place, id: 'a' }, NOW))?.body, JSON.stringify(place))
      assert.deepEqual(idsOf(await listAll(store, { ...place, where: { name: 'subject', value: 'alice' } })), ['a'])
    }

    assert.equal(await store.replace({ ...recordOf('a'), version: 1 }, NOW), true)
    assert.equal(await store.removeWhere({ ...KIND, where: { name: 'subject', value: 'alice' } }, NOW), 0)
    assert.equal(await store.removeWhere(KIND, NOW), 1)
    for (const place of places.slice(1)) assert.equal((await store.take({ ...place, id: 'a' }, NOW))?.version, 1)
  },

  'tenant, kind and id are told apart wherever one ends and the next begins': async ({ store }) => {
    for (const separator of SEPARATORS) {
      const parts = ['a', 'b', 'c', 'd']
      const [tenant = '', kind = '', ...rest] = parts
      assert.equal(await store.add(recordOf(rest.join(separator), { tenant, kind }), NOW), true)
      assert.equal(await store.add(recordOf('d', { tenant, kind: ['b', 'c'].join(separator) }), NOW), true)
      assert.equal(await store.add(recordOf('d', { tenant: ['a', 'b'].join(separator), kind: 'c' }), NOW), true)
    }
  },

  'ids are compared exactly, and no character means anything': async ({ store }) => {
    for (const id of ODD_IDS) assert.equal(await store.add(recordOf(id, { body: JSON.stringify(id) }), NOW), true, id)

    for (const id of ODD_IDS) assert.equal((await store.get(keyOf(id), NOW))?.body, JSON.stringify(id))
    assert.deepEqual(idsOf(await listAll(store, { ...KIND, limit: 3 })).sort(), [...ODD_IDS].sort())
  },

  'a key that cannot be kept exactly is refused when it comes in and found by nobody': async ({ store }) => {
    await store.add(recordOf('\ufffd'), NOW)
    await store.add(recordOf('a'), NOW)
    for (const name of BAD_NAMES) {
      for (const part of ['tenant', 'kind', 'id']) {
        const key = { ...keyOf('a'), [part]: name }
        await assert.rejects(store.add({ ...recordOf('a'), ...key }, NOW), TypeError)
        await assert.rejects(store.increment(key, { by: 1, window: 1 }, NOW), TypeError)
        assert.equal(await store.get(key, NOW), null)
        assert.equal(await store.take(key, NOW), null)
        assert.equal(await store.remove(key, NOW), false)
      }
    }
  },

  'an expiry or an index that cannot be kept exactly is refused': async ({ store }) => {
    const many = Object.fromEntries(Array.from({ length: 9 }, (_, position) => [`name${position}`, 'value']))
    const bad = [
      { expiresAt: 1.5 }, { expiresAt: NaN }, { expiresAt: Infinity }, { index: many },
      { index: { '': 'a' } }, { index: { a: '\0' } }, { index: { a: '\ud800' } }
    ]
    for (const members of bad) await assert.rejects(store.add(recordOf('a', members), NOW), TypeError)

    await store.add(recordOf('a'), NOW)
    for (const members of bad) await assert.rejects(store.replace({ ...recordOf('a', members), version: 1 }, NOW), TypeError)
  },

  'changing what was handed in or out changes nothing that is held': async ({ store }) => {
    const index = { subject: 'alice' }
    await store.add(recordOf('a', { index }), NOW)
    Reflect.set(index, 'subject', 'mallory')
    const held = await store.get(keyOf('a'), NOW)
    assert.ok(held !== null)
    for (const record of [held, ...await listAll(store, KIND)]) {
      for (const member of ['body', 'version', 'expiresAt', 'id']) Reflect.set(record, member, 'changed')
      Reflect.set(record.index, 'subject', 'mallory')
    }

    assert.deepEqual({ ...await store.get(keyOf('a'), NOW) }, { ...recordOf('a', { index: { subject: 'alice' } }), version: 1 })
    assert.deepEqual(idsOf(await listAll(store, { ...KIND, where: { name: 'subject', value: 'alice' } })), ['a'])
  },

  'a body of a quarter of a million characters is kept whole': async ({ store }) => {
    const body = JSON.stringify('é'.repeat(250_000))
    await store.add(recordOf('a', { body }), NOW)

    assert.equal((await store.get(keyOf('a'), NOW))?.body, body)
  }
}
