import t from 'tap'
import { whenFree, whenFreeAtBoot } from '../../lib/stores/sqlite-turns.js'

/** Something that fails so often, then answers how often it was called. */
function failing (times: number, message = 'database is locked'): () => number {
  let calls = 0
  return () => {
    if (++calls <= times) throw new Error(message)
    return calls
  }
}

const fail = (): never => { throw Object.create(null) }

t.test('a database that is free is asked once', async (t) => {
  t.equal(await whenFree(failing(0)), 1)
  t.equal(whenFreeAtBoot(failing(0)), 1)
})

t.test('a database that is busy is asked again until it is free', async (t) => {
  for (const message of ['database is locked', 'database table is locked', 'SQLITE_BUSY: database is locked']) {
    t.equal(await whenFree(failing(3, message)), 4)
    t.equal(whenFreeAtBoot(failing(3, message)), 4)
  }
})

t.test('the event loop goes on while the database is busy', async (t) => {
  let isBusy = true
  setTimeout(() => { isBusy = false }, 20)

  await whenFree(() => { if (isBusy) throw new Error('database is locked') })

  t.equal(isBusy, false)
})

t.test('a database that never gets free is given up on', async (t) => {
  await t.rejects(whenFree(failing(Infinity)), { code: 'MCPS_ERR_STORE_UNAVAILABLE', cause: { message: 'database is locked' } })
  t.throws(() => whenFreeAtBoot(failing(Infinity)), { code: 'MCPS_ERR_STORE_UNAVAILABLE' })
})

t.test('every other failure is answered at once as unavailable, with its cause', async (t) => {
  const unavailable = { code: 'MCPS_ERR_STORE_UNAVAILABLE', cause: { message: 'disk I/O error' } }

  await t.rejects(whenFree(failing(1, 'disk I/O error')), unavailable)
  t.throws(() => whenFreeAtBoot(failing(1, 'disk I/O error')), unavailable)
})

t.test('what is thrown without being an error is answered as unavailable', async (t) => {
  await t.rejects(whenFree(fail), { code: 'MCPS_ERR_STORE_UNAVAILABLE' })
  t.throws(() => whenFreeAtBoot(fail), { code: 'MCPS_ERR_STORE_UNAVAILABLE' })
})
