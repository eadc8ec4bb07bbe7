import { writeFileSync } from 'node:fs'
import t from 'tap'
import { HANDLES, newDatabase } from './sqlite-handles.js'
import { openSchema } from '../../lib/stores/sqlite-schema.js'

for (const { name, open, skip } of HANDLES) {
  t.test(`on a handle of ${name}`, { skip }, async (t) => {
    t.test('a database is opened with write-ahead log, full synchronisation and little blocking', async (t) => {
      const handle = open(newDatabase(t))
      openSchema(handle)

      t.match(handle.prepare('pragma journal_mode').all(), [{ journal_mode: 'wal' }])
      t.match(handle.prepare('pragma synchronous').all(), [{ synchronous: 2 }])
      t.match(handle.prepare('pragma busy_timeout').all(), [{ timeout: 10 }])
      handle.close()
    })

    t.test('tables of the host in the same file are left alone', async (t) => {
      const file = newDatabase(t)
      const host = open(file)
      host.exec("create table notes (text text); insert into notes values ('mine'); pragma user_version = 7")
      openSchema(host)
      openSchema(host)

      t.match(host.prepare('select text from notes').all(), [{ text: 'mine' }])
      t.match(host.prepare('pragma user_version').all(), [{ user_version: 7 }])
      host.close()
    })

    t.test('a schema that was made half-way is finished', async (t) => {
      const file = newDatabase(t)
      const killed = open(file)
      openSchema(killed)
      killed.exec('drop table mcps_counters; drop trigger mcps_records_added; delete from mcps_schema')
      killed.close()

      const handle = open(file)
      openSchema(handle)
      t.match(handle.prepare("select name from sqlite_master where name in ('mcps_counters', 'mcps_records_added')").all(),
        { length: 2 })
      handle.close()
    })

    t.test('a database of another release stops the boot and is left alone', async (t) => {
      const handle = open(newDatabase(t))
      openSchema(handle)
      handle.exec('update mcps_schema set version = 2')

      t.throws(() => { openSchema(handle) }, { code: 'MCPS_ERR_INVALID_OPTION', message: /^store: .*schema 2/ })
      t.match(handle.prepare('select version from mcps_schema').all(), [{ version: 2 }])
      handle.close()
    })

    t.test('a file that is no database is answered as unavailable', async (t) => {
      const file = newDatabase(t)
      writeFileSync(file, 'this is a letter to my bank, '.repeat(100))
      const handle = open(file)

      t.throws(() => { openSchema(handle) }, { code: 'MCPS_ERR_STORE_UNAVAILABLE' })
      handle.close()
    })
  })
}
