import { HANDLES } from './sqlite-handles.js'
import { sqliteStore } from '../../lib/stores/sqlite.js'

/**
 * One of several processes at one SQLite file, started by sqlite-processes.ts: opens the store, says so, and
 * when told to start does each verb for each id once. Tells the ids for which it was the one that succeeded.
 */
const [file = '', kind = '', rounds = '0'] = process.argv.slice(2)
const NOW = 1_700_000_000

const handle = HANDLES.find(({ name }) => name === kind)?.open(file)
if (handle === undefined) throw new Error(`no handle of kind ${kind}`)
const store = sqliteStore(handle)
handle.exec('pragma synchronous = off')

const recordOf = (id: string) => ({ tenant: 'tenant', kind: 'race', id, expiresAt: null, index: { by: 'all' }, body: '0' })

async function countUp (): Promise<void> {
  for (;;) {
    const held = await store.get(recordOf('counted'), NOW)
    if (held === null) throw new Error('the counted record is gone')
    if (await store.replace({ ...held, body: String(Number(held.body) + 1) }, NOW)) return
  }
}

process.once('message', async () => {
  const added: string[] = []
  const replaced: string[] = []
  const taken: string[] = []
  for (let round = 0; round < Number(rounds); round++) {
    const id = String(round)
    if (await store.add(recordOf(`add ${id}`), NOW)) added.push(id)
    if (await store.replace({ ...recordOf(`replace ${id}`), version: 1 }, NOW)) replaced.push(id)
    if (await store.take(recordOf(`take ${id}`), NOW) !== null) taken.push(id)
    await store.increment(recordOf('counter'), { by: 1, window: 60 }, NOW)
    await countUp()
  }
  handle.close()
  process.send?.({ added, replaced, taken }, () => { process.disconnect() })
})

process.send?.('ready')
