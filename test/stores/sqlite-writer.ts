import { HANDLES } from './sqlite-handles.js'
import { sqliteStore } from '../../lib/stores/sqlite.js'

/** Adds records to a SQLite file, tells of each when it is acknowledged, and goes on until it is killed. */
const [file = '', kind = ''] = process.argv.slice(2)
const handle = HANDLES.find(({ name }) => name === kind)?.open(file)
if (handle === undefined) throw new Error(`no handle of kind ${kind}`)
const store = sqliteStore(handle)

for (let id = 0; id < 100_000; id++) {
  await store.add({ tenant: 'tenant', kind: 'race', id: String(id), expiresAt: null, index: {}, body: '0' }, 1)
  await new Promise((resolve) => { process.send?.(String(id), resolve) })
}
