import { mock } from 'node:test'
import t from 'tap'
import { startKeyKeeping } from '../../../lib/plugins/support/key-keeping.js'
import { keyOptionsOf, rotationOf } from '../../../lib/plugins/support/key-rotation.js'

const HOUR = 3600
const DAY = 24 * HOUR

function observed () {
  const asked: string[] = []
  const warned: unknown[] = []
  let failure: Error | null = null
  return {
    asked,
    warned,
    fail (error: Error | null) { failure = error },
    log: { warn: (entry: unknown) => { warned.push(entry) } },
    keyring: {
      lookAgainAfter: 15,
      listen: async () => {
        asked.push('listen')
        return async () => { asked.push('stop') }
      },
      refresh: async () => {
        asked.push('look')
        if (failure !== null) throw failure
      }
    }
  }
}

const settled = () => new Promise((resolve) => { setImmediate(resolve) })

t.beforeEach(() => { mock.timers.enable({ apis: ['setTimeout'] }) })
t.afterEach(() => { mock.timers.reset() })

t.test('the keys are looked after every so many seconds until it is stopped', async (t) => {
  const { keyring, log, asked } = observed()
  const keeping = await startKeyKeeping({ keyring, log })
  mock.timers.tick(14_999)
  t.same(asked, ['listen'])
  for (let round = 0; round < 2; round += 1) {
    mock.timers.tick(15_000)
    await settled()
  }
  t.same(asked, ['listen', 'look', 'look'])

  await keeping.stop()
  mock.timers.tick(60_000)
  await settled()
  t.same(asked, ['listen', 'look', 'look', 'stop'])
})

t.test('a look that fails is logged, and the next one tries again', async (t) => {
  const { keyring, log, asked, warned, fail } = observed()
  const keeping = await startKeyKeeping({ keyring, log })
  fail(new Error('down'))
  mock.timers.tick(15_000)
  await settled()
  fail(null)
  mock.timers.tick(15_000)
  await settled()

  t.match(warned, [{ err: { message: 'down' } }])
  t.same(asked, ['listen', 'look', 'look'])
  await keeping.stop()
})

t.test('stopping waits for a look that is under way, and no other one follows', async (t) => {
  const { keyring, log, asked } = observed()
  const keeping = await startKeyKeeping({ keyring, log })
  mock.timers.tick(15_000)
  await keeping.stop()
  mock.timers.tick(60_000)

  t.same(asked, ['listen', 'look', 'stop'])
})

t.test('keys change every 90 days and are published a day before, unless the operator says otherwise', async (t) => {
  t.same(rotationOf(), { every: 90 * DAY, publishedBefore: DAY })
  t.same(rotationOf({ every: 30 * DAY }), { every: 30 * DAY, publishedBefore: DAY })
  t.same(rotationOf({ every: HOUR }), { every: HOUR, publishedBefore: HOUR / 2 })
  t.same(rotationOf({ every: DAY, publishedBefore: 60 }), { every: DAY, publishedBefore: 60 })
  t.same(rotationOf(false), { every: null, publishedBefore: DAY })
})

t.test('a key is not published for longer before it signs than it then signs', async (t) => {
  t.throws(() => rotationOf({ every: HOUR, publishedBefore: HOUR }), {
    code: 'MCPS_ERR_INVALID_OPTION', message: /^keyRotation\.publishedBefore /
  })
})

t.test('keys are made in the store, or are those of signers, and not both', async (t) => {
  const signers = [{ algorithm: 'ES256' as const, publicJwk: {}, sign: async () => new Uint8Array() }]
  const unscheduled = { every: null, publishedBefore: DAY }
  t.same(keyOptionsOf({}), { rotation: rotationOf() })
  t.same(keyOptionsOf({ signingAlgorithm: 'EdDSA', keyRotation: false }), { algorithm: 'EdDSA', rotation: unscheduled })
  t.same(keyOptionsOf({ signers, keyRotation: false }), { signers, rotation: unscheduled })
  for (const other of [{ signingAlgorithm: 'ES256' as const }, { keyRotation: {} }]) {
    t.throws(() => keyOptionsOf({ signers, ...other }), { code: 'MCPS_ERR_INVALID_OPTION', message: /^signers / })
  }
})
