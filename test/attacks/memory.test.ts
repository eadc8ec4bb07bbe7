import { connect, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { mock } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { scopeGuard } from '../../lib/plugins/scope-guard.js'
import type { TokenVerifier } from '../../types/principal.js'
import { buildApp, type Teardown } from '../helpers/build-app.js'
import { callTool, guardOptions, TOKENS, verifierOf } from '../helpers/guard.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const REQUESTS = 20
const BODY = JSON.stringify(callTool('search'))
const head = (first: string, ...lines: readonly string[]) =>
  [first, 'Host: mcp.example.com', 'Authorization: Bearer reader', ...lines, '', ''].join('\r\n')
const GET = head('GET /mcp HTTP/1.1')
const POST = head('POST /mcp HTTP/1.1', 'Content-Type: application/json', `Content-Length: ${BODY.length}`) + BODY

interface Scene {
  readonly app: FastifyInstance
  readonly answers: Array<WeakRef<object>>
  /** Resolves when as many requests as that have reached a handler. */
  handled (count: number): Promise<void>
}

async function scene (t: Teardown, verifier: TokenVerifier): Promise<Scene> {
  mock.timers.enable({ apis: ['setInterval'] })
  t.teardown(() => { mock.timers.reset() })
  const app = buildApp(t)
  const answers: Array<WeakRef<object>> = []
  await app.register(scopeGuard, guardOptions({ verifier }))
  app.get('/mcp', (_request, reply) => {
    answers.push(new WeakRef(reply.raw))
    reply.hijack().raw.writeHead(200, { 'content-type': 'text/event-stream' }).write(': open\n\n')
  })
  app.post('/mcp', async (_request, { raw }) => {
    answers.push(new WeakRef(raw))
    return {}
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { app, answers, async handled (count) { while (answers.length < count) await setImmediate() } }
}

/** How many answers are still held after everybody has left, and the guard has looked once after its streams. */
async function held ({ answers }: Scene): Promise<number> {
  mock.timers.tick(1000)
  const left = () => answers.filter((answer) => answer.deref() !== undefined).length
  for (let turn = 0; turn < 20 && left() > 0; turn += 1) {
    await setImmediate()
    collect()
  }
  return left()
}

async function leave (app: FastifyInstance, socket: ReturnType<typeof connect>): Promise<void> {
  socket.destroy()
  const open = async () => await new Promise<number>((resolve, reject) => {
    app.server.getConnections((error, count) => { if (error === null) resolve(count); else reject(error) })
  })
  while (await open() > 0) await setImmediate()
  await setImmediate()
}

const open = async (app: FastifyInstance) => {
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

t.test('requests behind an open stream of their connection are forgotten with it', async (t) => {
  const one = await scene(t, verifierOf(TOKENS, ['reader']))
  const socket = await open(one.app)

  socket.write(GET + POST.repeat(REQUESTS))
  await one.handled(REQUESTS + 1)
  await leave(one.app, socket)

  t.equal(await held(one), 0)
})

t.test('a stream whose client left while its token was checked is forgotten', async (t) => {
  let go = (): void => {}
  const gone = new Promise<void>((resolve) => { go = resolve })
  const usual = verifierOf(TOKENS)
  const asked: string[] = []
  const one = await scene(t, {
    recall: () => undefined,
    async verify (token, now) {
      asked.push(token)
      await gone
      return await usual.verify(token, now)
    }
  })
  const socket = await open(one.app)

  socket.write(GET)
  while (asked.length === 0) await setImmediate()
  await leave(one.app, socket)
  go()
  await one.handled(1)

  t.equal(await held(one), 0)
  t.equal(asked.length, 1, 'nobody asks after its token')
})
