import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { decodeProtectedHeader } from 'jose'
import t from 'tap'
import { HANDLES, newDatabase } from '../stores/sqlite-handles.js'

const INSTANCE = fileURLToPath(new URL('exchanging-instance.ts', import.meta.url))
const PROCESSES = 4
/** For a run at full load: LOAD_RATE=1000 LOAD_SECONDS=10. Both are for all processes together. */
const RATE = Number(process.env.LOAD_RATE ?? 100)
const SECONDS = Number(process.env.LOAD_SECONDS ?? 2)
const COUNT = Math.ceil(RATE * SECONDS / PROCESSES)

interface Said {
  readonly exchanged?: number
  readonly token?: string | null
  readonly tookMs?: number
  readonly verified?: number
}

const { name = '' } = HANDLES.find(({ skip }) => skip === false) ?? {}

t.test('codes that four processes exchange while keys are rotated all give tokens that all others take', async (t) => {
  const args = [newDatabase(t), name, String(COUNT), String(RATE / PROCESSES)]
  // One rotates at once, so that the others meet a key that they do not know.
  const instances = Array.from({ length: PROCESSES }, (_, index) => fork(INSTANCE, index === 0 ? [...args, '0'] : args))
  t.teardown(() => { for (const instance of instances) instance.kill() })
  await Promise.all(instances.map((instance) => once(instance, 'message')))
  const exchanged: number[] = []
  const verified: number[] = []
  const took: number[] = []
  const kids = new Set<string>()
  const total = COUNT * PROCESSES
  const from = performance.now()
  await new Promise<void>((resolve) => {
    instances.forEach((instance, index) => {
      instance.on('message', (said: Said) => {
        if (said.exchanged !== undefined) {
          exchanged.push(said.exchanged)
          took.push(said.tookMs ?? 0)
        }
        if (typeof said.token === 'string') {
          kids.add(decodeProtectedHeader(said.token).kid ?? '')
          instances[(index + 1) % PROCESSES]?.send({ verify: said.token })
        }
        if (said.verified !== undefined) verified.push(said.verified)
        const issued = exchanged.filter((status) => status === 200)
        if (exchanged.length === total && verified.length === issued.length) resolve()
      })
      instance.send({ start: true })
    })
  })
  const seconds = (performance.now() - from) / 1000
  const ended = instances.map((instance) => once(instance, 'exit'))
  for (const instance of instances) instance.send({ stop: true })
  await Promise.all(ended)

  took.sort((a, b) => a - b)
  const at = (part: number) => took[Math.floor((took.length - 1) * part)]?.toFixed(1)
  t.comment(`${total} exchanges in ${seconds.toFixed(1)} s, ms: median ${at(0.5)}, 99 % ${at(0.99)}, longest ${at(1)}`)
  t.strictSame(exchanged.filter((status) => status !== 200), [])
  t.strictSame(verified.filter((status) => status !== 200), [])
  t.ok(kids.size > 1, `${kids.size} keys signed`)
})
