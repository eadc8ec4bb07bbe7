import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import type { FastifyInstance, FastifyReply } from 'fastify'
import t from 'tap'
import { openAnswers, type OpenAnswers } from '../../../lib/plugins/scope-guard/open-answers.js'
import type { Teardown } from '../../helpers/build-app.js'
import { versions } from '../../helpers/fastify-versions.js'
import { principalWith } from '../../helpers/guard.js'

interface Scene {
  readonly app: FastifyInstance
  readonly answers: OpenAnswers
  readonly replies: Map<string, FastifyReply>
}

/** Every request is of the user that it names; its answer is left to the test. */
async function scene (t: Teardown, { watched = true, http2 = false } = {}): Promise<Scene> {
  const app = versions.newest?.(t, http2 ? { http2 } as object : {})
  if (app === undefined) throw new Error('there is no Fastify')
  const answers = openAnswers()
  const replies = new Map<string, FastifyReply>()
  app.get<{ Params: { user: string } }>('/:user', (request, reply) => {
    const { user } = request.params
    if (watched) answers.add(request, reply, principalWith([], { subject: user }))
    replies.set(user, reply.hijack())
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  return { app, answers, replies }
}

/** When the request of a user has come. Not its reply: that is thenable. */
async function arrival ({ replies }: Scene, user: string): Promise<void> {
  while (!replies.has(user)) await new Promise((resolve) => { setImmediate(resolve) })
}

function replyTo ({ replies }: Scene, user: string): FastifyReply {
  const reply = replies.get(user)
  if (reply === undefined) throw new Error(`${user} has not come`)
  return reply
}

const begin = ({ raw }: FastifyReply): void => { raw.writeHead(200).write('first') }
const users = ({ answers }: Scene): readonly unknown[] =>
  [...answers.streams()].map(([{ principal }]) => principal.subject)

t.test('an answer is a stream from its head to its end', async (t) => {
  const one = await scene(t)
  const response = once(get(`${one.app.listeningOrigin}/ada`), 'response') as Promise<[IncomingMessage]>
  await arrival(one, 'ada')
  const reply = replyTo(one, 'ada')
  const before = users(one)
  begin(reply)
  const during = users(one)
  reply.raw.end()
  ;(await response)[0].resume()

  t.same([before, during, users(one)], [[], ['ada'], []])
})

t.test('a connection that another user goes on with is the other user\'s', async (t) => {
  const one = await scene(t)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => { agent.destroy() })
  const ask = async (user: string): Promise<IncomingMessage> => {
    const response = once(get(`${one.app.listeningOrigin}/${user}`, { agent }), 'response') as Promise<[IncomingMessage]>
    await arrival(one, user)
    begin(replyTo(one, user))
    return (await response)[0]
  }
  const first = await ask('ada')
  replyTo(one, 'ada').raw.end()
  await once(first.resume(), 'end')
  await ask('bob')
  const [[answer] = []] = one.answers.streams()

  t.same(users(one), ['bob'])
  t.equal(answer?.request, replyTo(one, 'bob').request)
  t.equal(replyTo(one, 'bob').raw.socket, replyTo(one, 'ada').request.raw.socket)
})

t.test('pipelined requests of several users are looked after side by side', async (t) => {
  const one = await scene(t)
  const { port } = new URL(one.app.listeningOrigin)
  const client = connect(Number(port), '127.0.0.1')
  t.teardown(() => { client.destroy() })
  client.write(['ada', 'bob', 'eve'].map((user) => `GET /${user} HTTP/1.1\r\nHost: localhost\r\n\r\n`).join(''))
  for (const user of ['ada', 'bob', 'eve']) {
    await arrival(one, user)
    begin(replyTo(one, user))
  }
  const all = users(one)
  replyTo(one, 'bob').raw.end()

  t.same([...all].sort(), ['ada', 'bob', 'eve'])
  t.same([...users(one)].sort(), ['ada', 'eve'])

  const closed = once(replyTo(one, 'eve').request.raw.socket, 'close')
  client.destroy()
  await closed
  t.same(users(one), [])
})

t.test('requests of one HTTP/2 connection are looked after side by side', async (t) => {
  const one = await scene(t, { http2: true })
  const session = connectHttp2(one.app.listeningOrigin)
  t.teardown(() => { session.destroy() })

  for (const user of ['ada', 'bob']) {
    session.request({ ':path': `/${user}` }).on('error', () => {}).resume()
    await arrival(one, user)
    begin(replyTo(one, user))
  }

  t.same(users(one), ['ada', 'bob'])
})

t.test('what the client has left before is not looked after', async (t) => {
  const one = await scene(t, { watched: false })
  const client = get(`${one.app.listeningOrigin}/ada`).on('error', () => {})
  await arrival(one, 'ada')
  const reply = replyTo(one, 'ada')
  const closed = once(reply.raw, 'close')
  client.destroy()
  await closed
  one.answers.add(reply.request, reply, principalWith([]))
  begin(reply)

  t.same(users(one), [])
})

t.test('a request that was made up is looked after by its answer', async (t) => {
  const one = await scene(t)
  const answer = one.app.inject('/ada')
  await arrival(one, 'ada')
  const reply = replyTo(one, 'ada')
  begin(reply)
  const during = users(one)
  reply.raw.end()
  await answer

  t.same([during, users(one)], [['ada'], []])
})

t.test('many guards may look after one connection without a warning', async (t) => {
  const warnings: Error[] = []
  const listen = (warning: Error): void => { warnings.push(warning) }
  process.on('warning', listen)
  t.teardown(() => { process.off('warning', listen) })
  const one = await scene(t)
  get(`${one.app.listeningOrigin}/ada`).on('error', () => {})
  await arrival(one, 'ada')
  const reply = replyTo(one, 'ada')
  for (let count = 0; count < 20; count += 1) openAnswers().add(reply.request, reply, principalWith([]))
  await new Promise((resolve) => { setImmediate(resolve) })

  t.same(warnings, [])
})

t.test('nothing is looked after any more when it is cleared', async (t) => {
  const one = await scene(t)
  get(`${one.app.listeningOrigin}/ada`).on('error', () => {})
  await arrival(one, 'ada')
  const reply = replyTo(one, 'ada')
  begin(reply)
  one.answers.clear()
  const closed = once(reply.raw, 'close')
  reply.raw.destroy()
  await closed

  t.same(users(one), [])
})
