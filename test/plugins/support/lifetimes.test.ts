import t from 'tap'
import { lifetimesOf } from '../../../lib/plugins/support/lifetimes.js'

t.test('lifetimes have the documented defaults', async (t) => {
  t.same(lifetimesOf(), {
    accessToken: 900,
    code: 60,
    authorization: 600,
    refreshIdle: 1_209_600,
    refreshAbsolute: 7_776_000,
    refreshRepeat: 30,
    consent: 2_592_000,
    unusedClient: 86_400,
    idleClient: 15_552_000
  })
})

t.test('what is chosen counts', async (t) => {
  t.match(lifetimesOf({ accessToken: 120, refreshRepeat: 0 }), { accessToken: 120, refreshRepeat: 0, code: 60 })
})

t.test('a default gives way to a limit that was chosen, in both directions', async (t) => {
  t.match(lifetimesOf({ refreshAbsolute: 3600 }), { refreshIdle: 3600, refreshAbsolute: 3600 })
  t.match(lifetimesOf({ unusedClient: 31_536_000 }), { unusedClient: 31_536_000, idleClient: 31_536_000 })
})

t.test('two that were chosen and contradict each other stop the boot', async (t) => {
  t.throws(() => lifetimesOf({ refreshIdle: 601, refreshAbsolute: 600 }), {
    code: 'MCPS_ERR_INVALID_OPTION',
    message: 'lifetimes.refreshIdle must not be longer than lifetimes.refreshAbsolute'
  })
})

t.test('nobody changes them afterwards', async (t) => {
  t.ok(Object.isFrozen(lifetimesOf()))
})
