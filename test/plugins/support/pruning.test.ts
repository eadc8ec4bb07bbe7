import { mock } from 'node:test'
import t from 'tap'
import { startPruning } from '../../../lib/plugins/support/pruning.js'

const clock = () => 1_700_000_000
const silent = { warn: () => {} }
/** Lets everything run that waits for nothing but its turn. */
const settle = async (): Promise<void> => { for (let turn = 0; turn < 20; turn += 1) await Promise.resolve() }

t.beforeEach(() => { mock.timers.enable({ apis: ['setTimeout'] }) })
t.afterEach(() => { mock.timers.reset() })

t.test('each round goes on until nothing is left, with the time of the clock', async (t) => {
  const answers = [1000, 1000, 3]
  const asked: number[][] = []
  const prune = async (...args: [number, number]): Promise<number> => { asked.push(args); return answers.shift() ?? 0 }
  const pruning = startPruning({ records: { prune }, clock, interval: 60, log: silent })
  await settle()
  t.same(asked, [])
  mock.timers.tick(60_000)
  await settle()
  t.same(asked, [[1000, clock()], [1000, clock()], [1000, clock()]])
  mock.timers.tick(60_000)
  await settle()
  t.equal(asked.length, 4)
  await pruning.stop()
})

t.test('a round that fails is logged, and the next one tries again', async (t) => {
  const failure = new Error('down')
  const logged: unknown[] = []
  let rounds = 0
  const prune = async (): Promise<number> => { rounds += 1; throw failure }
  const log = { warn: (...args: unknown[]) => { logged.push(args[0]) } }
  const pruning = startPruning({ records: { prune }, clock, interval: 1, log })
  for (let round = 0; round < 2; round += 1) {
    mock.timers.tick(1000)
    await settle()
  }
  t.equal(rounds, 2)
  t.same(logged, [{ err: failure }, { err: failure }])
  await pruning.stop()
})

t.test('stopping waits for the round that is under way, and begins no other', async (t) => {
  let rounds = 0
  let finish = (_count: number): void => {}
  const prune = async (): Promise<number> => {
    rounds += 1
    return await new Promise((resolve) => { finish = resolve })
  }
  const pruning = startPruning({ records: { prune }, clock, interval: 1, log: silent })
  mock.timers.tick(1000)
  await settle()
  let stopped = false
  const stopping = pruning.stop().then(() => { stopped = true })
  await settle()
  t.notOk(stopped)
  finish(1000)
  await stopping
  mock.timers.tick(10_000)
  await settle()
  t.equal(rounds, 1)
})
