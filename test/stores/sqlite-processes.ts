import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { newDatabase, type HandleKind } from './sqlite-handles.js'
import { sqliteStore } from '../../lib/stores/sqlite.js'

const PROCESSES = 3
const ROUNDS = 30
const NOW = 1_700_000_000
const RACER = fileURLToPath(new URL('sqlite-racer.ts', import.meta.url))
const WRITER = fileURLToPath(new URL('sqlite-writer.ts', import.meta.url))
const IDS = Array.from({ length: ROUNDS }, (_, round) => String(round))

interface Wins { added: string[], replaced: string[], taken: string[] }

const recordOf = (id: string) => ({ tenant: 'tenant', kind: 'race', id, expiresAt: null, index: { by: 'all' }, body: '0' })

async function race (racers: readonly ChildProcess[]): Promise<Wins[]> {
  await Promise.all(racers.map((racer) => once(racer, 'message')))
  return Promise.all(racers.map(async (racer) => {
    const ended = once(racer, 'message')
    racer.send('start')
    const [wins] = await ended
    return wins
  }))
}

/** Several processes do every verb for every record at once: exactly one of them may succeed with each. */
export async function raceProcesses (t: Test, { name, open }: HandleKind): Promise<void> {
  const file = newDatabase(t)
  const racers = Array.from({ length: PROCESSES }, () => fork(RACER, [file, name, String(ROUNDS)]))
  t.teardown(() => racers.forEach((racer) => racer.kill()))
  const handle = open(file)
  const store = sqliteStore(handle)
  for (const id of IDS) {
    await store.add(recordOf(`replace ${id}`), NOW)
    await store.add(recordOf(`take ${id}`), NOW)
  }
  await store.add(recordOf('counted'), NOW)

  const wins = await race(racers)

  const total = PROCESSES * ROUNDS
  for (const verb of ['added', 'replaced', 'taken'] as const) {
    t.strictSame(wins.flatMap((own) => own[verb]).sort(), [...IDS].sort(), `each record is ${verb} once`)
  }
  t.match(await store.get(recordOf('counted'), NOW), { body: String(total), version: total + 1 })
  t.equal((await store.increment(recordOf('counter'), { by: 1, window: 60 }, NOW)).count, total + 1)
  t.equal(await store.removeWhere({ ...recordOf('any'), where: { name: 'by', value: 'all' } }, NOW), 2 * ROUNDS + 1)
  handle.close()
}

/** A process is killed while it adds records: those that it acknowledged must be there, and the file must be sound. */
export async function killWriter (t: Test, { name, open }: HandleKind): Promise<void> {
  const file = newDatabase(t)
  const writer = fork(WRITER, [file, name])
  const acknowledged: string[] = []
  writer.on('message', (id) => {
    acknowledged.push(String(id))
    if (acknowledged.length === ROUNDS) writer.kill('SIGKILL')
  })
  const [, signal] = await once(writer, 'exit')

  const handle = open(file)
  const store = sqliteStore(handle)
  t.equal(signal, 'SIGKILL')
  for (const id of acknowledged) t.ok(await store.get(recordOf(id), NOW), `record ${id}`)
  t.equal(await store.add(recordOf('after'), NOW), true)
  handle.close()
}
