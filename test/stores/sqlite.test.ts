import t from 'tap'
import { followsModel } from './model.js'
import { HANDLES, newDatabase } from './sqlite-handles.js'
import { killWriter, raceProcesses } from './sqlite-processes.js'
import { sqliteStore } from '../../lib/stores/sqlite.js'
import { storeContract } from '../../lib/testing/store-contract.js'
import type { NewRecord, RecordStore } from '../../types/stores.js'

const NOW = 1_700_000_000

function recordOf (id: string, expiresAt: number | null = null): NewRecord {
  return { tenant: 'tenant', kind: 'kind', id, expiresAt, index: { subject: 'alice' }, body: '{}' }
}

for (const kind of HANDLES) {
  const { name, open, skip } = kind
  t.test(`on a handle of ${name}`, { skip }, async (t) => {
    /** A store whose handle goes with it. */
    function openStore (file: string): RecordStore {
      const handle = open(file)
      const store = sqliteStore(handle)
      // Nothing here is about power cuts.
      handle.exec('pragma synchronous = off')
      let isOpen = true
      return {
        ...store,
        async close () {
          await store.close()
          if (isOpen) handle.close()
          isOpen = false
        }
      }
    }

    storeContract(t, () => openStore(':memory:'))

    t.test('over two connections to one file', async (t) => {
      storeContract(t, () => {
        const file = newDatabase(t)
        return [openStore(file), openStore(file)]
      })
    })

    t.test('whatever is asked of it, it answers what a plain model does', async () => {
      await followsModel(() => openStore(':memory:'), 30)
    })

    t.test('of several processes exactly one wins each record', (t) => raceProcesses(t, kind))

    t.test('what was acknowledged is there after the process was killed', (t) => killWriter(t, kind))

    t.test('what was kept is there when the file is opened again', async (t) => {
      const file = newDatabase(t)
      const before = openStore(file)
      await before.add(recordOf('a'), NOW)
      await before.increment(recordOf('a'), { by: 3, window: 60 }, NOW)
      await before.close()

      const after = openStore(file)
      t.strictSame(await after.get(recordOf('a'), NOW), { ...recordOf('a'), version: 1 })
      t.equal((await after.increment(recordOf('a'), { by: 1, window: 60 }, NOW)).count, 4)
      await after.close()
    })

    t.test('pruning forgets exactly the dead, records and counters, up to its limit', async (t) => {
      const store = openStore(':memory:')
      for (const id of ['a', 'b', 'c']) await store.add(recordOf(id, NOW + 60), NOW)
      for (const id of ['a', 'b']) await store.increment(recordOf(id), { by: 1, window: 60 }, NOW)
      await store.add(recordOf('live', NOW + 61), NOW)

      t.equal(await store.prune(2, NOW + 60), 2)
      t.equal(await store.prune(2, NOW + 60), 2)
      t.equal(await store.prune(2, NOW + 60), 1)
      t.ok(await store.get(recordOf('live'), NOW + 60))
      await store.close()
    })

    t.test('nothing is left in the index of records that are gone', async (t) => {
      const handle = open(':memory:')
      const store = sqliteStore(handle)
      for (const id of ['a', 'b', 'c', 'd']) await store.add(recordOf(id, NOW + 60), NOW)
      await store.replace({ ...recordOf('a', NOW + 60), index: { client: 'c' }, version: 1 }, NOW)
      await store.take(recordOf('a'), NOW)
      await store.remove(recordOf('b'), NOW)
      await store.removeWhere({ tenant: 'tenant', kind: 'kind', where: { name: 'subject', value: 'alice' } }, NOW)
      await store.add(recordOf('e', NOW + 60), NOW)
      await store.prune(10, NOW + 60)

      t.same(handle.prepare('select * from mcps_index').all(), [])
      handle.close()
    })

    t.test('closing the store leaves the handle open', async (t) => {
      const handle = open(':memory:')
      await sqliteStore(handle).close()

      t.equal(handle.prepare('select 1 as one').all().length, 1)
      handle.close()
    })

    t.test('a verb waits while another connection writes, and the event loop goes on', async (t) => {
      const file = newDatabase(t)
      const store = openStore(file)
      const other = open(file)
      await store.add(recordOf('a'), NOW)
      other.exec('begin immediate')
      setTimeout(() => { other.exec('commit') }, 20)

      t.ok(await store.take(recordOf('a'), NOW))
      await store.close()
      other.close()
    })

    t.test('a database that stays locked is answered as unavailable, never as empty', async (t) => {
      const file = newDatabase(t)
      const store = openStore(file)
      const other = open(file)
      await store.add(recordOf('a'), NOW)
      other.exec('begin immediate')

      await t.rejects(store.take(recordOf('a'), NOW), { code: 'MCPS_ERR_STORE_UNAVAILABLE' })

      t.ok(await store.get(recordOf('a'), NOW))
      other.exec('rollback')
      t.ok(await store.take(recordOf('a'), NOW))
      await store.close()
      other.close()
    })
  })
}

t.test('a database that counts nothing is answered as unavailable', async (t) => {
  const rows = [{ version: 1 }]
  const store = sqliteStore({
    exec: () => undefined,
    prepare: (sql) => ({ run: () => ({ changes: 0 }), all: () => sql.startsWith('select version') ? rows : [] })
  })

  await t.rejects(store.increment(recordOf('a'), { by: 1, window: 60 }, NOW), { code: 'MCPS_ERR_STORE_UNAVAILABLE' })
})

t.test('numbers that a handle gives as bigint are numbers in records', async (t) => {
  const row = { id: 'a', version: 2n, expires_at: 60n, index_values: '{}', body: '{}', count: 3n, resets_at: 60n }
  const store = sqliteStore({
    exec: () => undefined,
    prepare: (sql) => ({ run: () => ({ changes: 4n }), all: () => sql.startsWith('select version') ? [{ version: 1n }] : [row] })
  })

  t.match(await store.get(recordOf('a'), NOW), { version: 2, expiresAt: 60 })
  t.strictSame(await store.increment(recordOf('a'), { by: 1, window: 60 }, NOW), { count: 3, resetsAt: 60 })
  t.equal(await store.removeWhere(recordOf('a'), NOW), 4)
})
