import t from 'tap'
import { createTurns, whenFreeAtBoot } from '../../lib/stores/sqlite-turns.js'

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
  t.equal(await createTurns()(failing(0)), 1)
  t.equal(whenFreeAtBoot(failing(0)), 1)
})

t.test('a database that is busy is asked again until it is free', async (t) => {
  for (const message of ['database is locked', 'database table is locked', 'SQLITE_BUSY: database is locked']) {
    t.equal(await createTurns()(failing(3, message)), 4)
    t.equal(whenFreeAtBoot(failing(3, message)), 4)
  }
})

t.test('the event loop goes on while the database is busy', async (t) => {
  let isBusy = true
  setTimeout(() => { isBusy = false }, 20)

  await createTurns()(() => { if (isBusy) throw new Error('database is locked') })

  t.equal(isBusy, false)
})

t.test('a database that never gets free is given up on', async (t) => {
  await t.rejects(createTurns()(failing(Infinity)), { code: 'MCPS_ERR_STORE_UNAVAILABLE', cause: { message: 'database is locked' } })
  t.throws(() => whenFreeAtBoot(failing(Infinity)), { code: 'MCPS_ERR_STORE_UNAVAILABLE' })
})

t.test('of many statements that wait one looks for all, and all are run when the database is free', async (t) => {
  const whenFree = createTurns()
  let isBusy = true
  let looks = 0
  setTimeout(() => { isBusy = false }, 20)

  const answers = await Promise.all(Array.from({ length: 1000 }, async (_, index) => await whenFree(() => {
    if (!isBusy) return index
    looks++
    throw new Error('database is locked')
  })))

  t.same(answers, Array.from({ length: 1000 }, (_, index) => index), 'each gets its own answer')
  t.ok(looks < 100, `${looks} looks`)
})

t.test('those that wait together give up together, without a look more', async (t) => {
  const whenFree = createTurns()
  let looks = 0
  const busy = (): never => { looks++; throw new Error('database is locked') }

  const endings = await Promise.allSettled([whenFree(busy), whenFree(busy), whenFree(busy)])

  t.same(endings.map(({ status }) => status), ['rejected', 'rejected', 'rejected'])
  t.equal(looks, 400)
})

t.test('a failure of one statement is not that of the others', async (t) => {
  const whenFree = createTurns()

  const endings = await Promise.allSettled([whenFree(failing(1)), whenFree(failing(1, 'disk I/O error')), whenFree(failing(0))])

  t.same(endings.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled'])
})

t.test('every other failure is answered at once as unavailable, with its cause', async (t) => {
  const unavailable = { code: 'MCPS_ERR_STORE_UNAVAILABLE', cause: { message: 'disk I/O error' } }

  await t.rejects(createTurns()(failing(1, 'disk I/O error')), unavailable)
  t.throws(() => whenFreeAtBoot(failing(1, 'disk I/O error')), unavailable)
})

t.test('what is thrown without being an error is answered as unavailable', async (t) => {
  await t.rejects(createTurns()(fail), { code: 'MCPS_ERR_STORE_UNAVAILABLE' })
  t.throws(() => whenFreeAtBoot(fail), { code: 'MCPS_ERR_STORE_UNAVAILABLE' })
})
