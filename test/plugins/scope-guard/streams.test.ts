import { once } from 'node:events'
import { connect, type Http2Session } from 'node:http2'
import { connect as connectTcp, type AddressInfo } from 'node:net'
import { get, type IncomingMessage } from 'node:http'
import { mock } from 'node:test'
import { PassThrough } from 'node:stream'
import type { FastifyInstance, FastifyReply } from 'fastify'
import t from 'tap'
import { auditHook } from '../../../lib/plugins/audit-hook.js'
import { watchStreams, type Streams } from '../../../lib/plugins/scope-guard/streams.js'
import { InvalidTokenError } from '../../../lib/tokens/errors.js'
import type { AuditEvent } from '../../../types/audit.js'
import type { Principal, TokenVerifier } from '../../../types/principal.js'
import type { Teardown } from '../../helpers/build-app.js'
import { stoppedClock, type StoppedClock } from '../../helpers/clock.js'
import { versions } from '../../helpers/fastify-versions.js'
import { principalWith } from '../../helpers/guard.js'

const settle = async (): Promise<void> => { for (let turn = 0; turn < 50; turn += 1) await Promise.resolve() }

interface Scene {
  readonly app: FastifyInstance
  readonly streams: Streams
  readonly clock: StoppedClock
  readonly events: AuditEvent[]
  /** What the verifier says of tokens; `null`: nothing, for ever. */
  readonly verdicts: Map<string, Error | null>
  readonly verified: string[]
  readonly recalled: Set<string>
  /** The replies that the host writes to, by the name of the stream. */
  readonly replies: Map<string, FastifyReply>
  /** Looks once, as the timer does. */
  look (): Promise<void>
}

/** The ways in which a host writes a stream. */
const WAYS: Record<string, (reply: FastifyReply) => void> = {
  hijacked (reply) {
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
    reply.raw.write('data: first\n\n')
  },
  'sent through Fastify' (reply) {
    const body = new PassThrough()
    body.write('data: first\n\n')
    reply.type('text/event-stream').send(body)
  },
  'begun without a body' (reply) {
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
  },
  'not begun' (reply) { reply.hijack() }
}

async function scene (t: Teardown, input: {
  readonly version?: string
  readonly principals?: Readonly<Record<string, Partial<Principal>>>
  readonly http2?: boolean
} = {}): Promise<Scene> {
  mock.timers.enable({ apis: ['setInterval'] })
  t.teardown(() => { mock.timers.reset() })
  const { version = 'newest', principals = {}, http2 = false } = input
  const app = versions[version]?.(t, http2 ? { http2 } as object : {})
  if (app === undefined) throw new Error(`there is no Fastify ${version}`)
  const clock = stoppedClock()
  const events: AuditEvent[] = []
  const verdicts = new Map<string, Error | null>()
  const verified: string[] = []
  const recalled = new Set<string>()
  const replies = new Map<string, FastifyReply>()
  const principal = principalWith([])
  const verifier: TokenVerifier = {
    recall: (token) => recalled.has(token) ? principal : undefined,
    async verify (token) {
      verified.push(token)
      const verdict = verdicts.get(token)
      if (verdict === null) await new Promise(() => {})
      if (verdict instanceof Error) throw verdict
      return principal
    }
  }
  const streams = watchStreams({ verifier, clock, recheck: 1 })
  t.teardown(() => { streams.stop() })
  await app.register(auditHook, { log: false, clock, sink: (event) => { events.push(event) } })
  app.get<{ Querystring: { token?: string, way: string, name: string } }>('/', (request, reply) => {
    const { token, way, name } = request.query
    if (token !== undefined) request.raw.auth = { token, clientId: 'client-1', scopes: [] }
    streams.watch(request, reply, principalWith([], { expiresAt: clock() + 900, ...principals[token ?? ''] }))
    replies.set(name, reply)
    WAYS[way]?.(reply)
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const look = async (): Promise<void> => { mock.timers.tick(1000); await settle() }
  return { app, streams, clock, events, verdicts, verified, recalled, replies, look }
}

interface Client {
  readonly text: () => string
  readonly closed: Promise<unknown>
}

const isOpen = ({ replies }: Scene, name = 'stream'): boolean => replies.get(name)?.raw.destroyed === false

/** Opens a stream and waits for its first event. */
async function open ({ app }: Scene, token: string | undefined, way = 'hijacked', name = 'stream'): Promise<Client> {
  const query = new URLSearchParams({ way, name, ...(token === undefined ? {} : { token }) })
  const [response] = await once(get(`${app.listeningOrigin}/?${query}`, { agent: false }), 'response') as [IncomingMessage]
  let text = ''
  response.setEncoding('utf8').on('data', (part: string) => { text += part }).on('error', () => {})
  const end = new Promise((resolve) => { response.on('close', resolve) })
  if (way !== 'begun without a body') await once(response, 'data')
  return { text: () => text, closed: end }
}

for (const version of Object.keys(versions)) {
  for (const way of Object.keys(WAYS).filter((way) => way !== 'not begun')) {
    t.test(`Fastify ${version}: a stream that is ${way} ends when its token expires, and what is written later is not sent`, async (t) => {
      const one = await scene(t, { version })
      const client = await open(one, 'a', way)
      one.clock.advance(900)

      await one.look()
      await client.closed

      t.doesNotThrow(() => one.replies.get('stream')?.raw.write('data: late\n\n'))
      t.doesNotThrow(() => one.replies.get('stream')?.raw.end())
      t.notMatch(client.text(), /late/)
      t.match(one.events, [{ type: 'access.denied', reason: 'token expired', subject: 'user-1', grantId: 'grant-1' }])
    })
  }
}

t.test('a stream that waits behind another one of its connection is forgotten when the client leaves', async (t) => {
  const one = await scene(t)
  const socket = connectTcp((one.app.server.address() as AddressInfo).port, '127.0.0.1')
  const get = (name: string) => `GET /?token=a&way=hijacked&name=${name} HTTP/1.1\r\nHost: localhost\r\n\r\n`
  socket.write(get('first') + get('second'))
  while (one.replies.size < 2) await once(one.app.server, 'request')
  const first = one.replies.get('first')?.raw
  if (first === undefined) throw new Error('there is no first stream')
  socket.destroy()
  await once(first, 'close')

  await one.look()

  t.same(one.verified, [])
})

t.test('a stream stays open until the second in which its token expires', async (t) => {
  const one = await scene(t)
  const client = await open(one, 'a')
  one.clock.advance(899)

  await one.look()

  one.replies.get('stream')?.raw.end('data: last\n\n')
  await client.closed
  t.match(client.text(), /last/)
})

t.test('the streams of a grant end at once when it is revoked, and no others', async (t) => {
  const one = await scene(t, { principals: { a: { grantId: 'grant-a' }, b: { grantId: 'grant-b' } } })
  const first = await open(one, 'a', 'hijacked', 'first')
  const second = await open(one, 'a', 'sent through Fastify', 'second')
  await open(one, 'b', 'hijacked', 'other')

  one.streams.endGrant('grant-a')
  await Promise.all([first.closed, second.closed])

  t.equal(isOpen(one, 'other'), true)
  t.match(one.events, [{ reason: 'grant revoked', grantId: 'grant-a' }, { reason: 'grant revoked' }])
})

t.test('the streams of nobody in particular end at once, and no others', async (t) => {
  const one = await scene(t, { principals: { a: { credential: 'anonymous', expiresAt: null } } })
  const client = await open(one, 'a', 'hijacked', 'nobody')
  await open(one, 'b', 'hijacked', 'somebody')

  one.streams.endAnonymous()
  await client.closed

  t.equal(isOpen(one, 'somebody'), true)
  t.match(one.events, [{ reason: 'authentication switched on' }])
})

t.test('a stream of theirs that begins only then ends soon', async (t) => {
  const one = await scene(t, { principals: { a: { credential: 'anonymous', expiresAt: null } } })
  const sent = get(`${one.app.listeningOrigin}/?way=not%20begun&token=a&name=late`, { agent: false })
  const answered = once(sent, 'response')
  while (!one.replies.has('late')) await once(one.app.server, 'request')

  one.streams.endAnonymous()
  t.equal(isOpen(one, 'late'), true)
  one.replies.get('late')?.raw.writeHead(200, { 'content-type': 'text/event-stream' }).write(': open\n\n')
  const [response] = await answered as [IncomingMessage]
  const closed = new Promise((resolve) => { response.on('error', () => {}).on('close', resolve).resume() })
  await one.look()
  await closed

  t.match(one.events, [{ reason: 'authentication switched on' }])
})

t.test('a stream whose token the verifier refuses ends, however it was revoked', async (t) => {
  const one = await scene(t)
  const client = await open(one, 'a')
  await one.look()
  t.equal(isOpen(one), true)
  one.verdicts.set('a', new InvalidTokenError('the grant has ended'))

  await one.look()
  await client.closed

  t.match(one.events, [{ reason: 'token ended' }])
})

t.test('the verifier is asked once for all streams of a token, and only while some are open', async (t) => {
  const one = await scene(t)
  const clients = await Promise.all(['1', '2', '3'].map(async (name) => await open(one, 'a', 'hijacked', name)))
  await open(one, 'b', 'hijacked', '4')

  await one.look()

  t.same(one.verified.sort(), ['a', 'b'])
  for (const reply of one.replies.values()) reply.raw.end()
  await Promise.all(clients.map(async ({ closed }) => { await closed }))
  await one.look()
  t.equal(one.verified.length, 2)
})

t.test('of another server\'s token the verifier\'s memory is good enough', async (t) => {
  const one = await scene(t, { principals: { a: { credential: 'introspected-token' } } })
  const client = await open(one, 'a')
  one.recalled.add('a')

  await one.look()
  t.same(one.verified, [])

  one.recalled.clear()
  one.verdicts.set('a', new InvalidTokenError('inactive'))
  await one.look()
  await client.closed
})

t.test('tokens that cannot be revoked, and nobody\'s, are not asked after', async (t) => {
  const one = await scene(t, { principals: { a: { credential: 'foreign-token' }, b: { credential: 'anonymous', expiresAt: null } } })
  const foreign = await open(one, 'a', 'hijacked', 'foreign')
  await open(one, 'b', 'hijacked', 'nobody')
  await open(one, undefined, 'hijacked', 'no token')

  await one.look()
  t.same(one.verified, [])

  one.clock.advance(900)
  await one.look()
  await foreign.closed
  t.equal(isOpen(one, 'nobody'), true)
})

t.test('while nobody can say whether a token holds, its stream stays open for 30 seconds and no longer', async (t) => {
  const one = await scene(t)
  const client = await open(one, 'a')
  one.verdicts.set('a', new Error('down'))

  for (const seconds of [100, 30]) {
    one.clock.advance(seconds)
    await one.look()
    t.equal(isOpen(one), true)
  }
  one.clock.advance(1)
  await one.look()
  await client.closed

  t.match(one.events, [{ reason: 'token not checked for too long' }])
})

t.test('an outage that is over is forgotten', async (t) => {
  const one = await scene(t)
  await open(one, 'a')
  one.verdicts.set('a', new Error('down'))
  await one.look()
  one.clock.advance(30)
  one.verdicts.clear()
  await one.look()

  one.clock.advance(1)
  await one.look()

  t.equal(isOpen(one), true)
})

t.test('a verifier that hangs is not asked again meanwhile, and holds up no expiry', async (t) => {
  const one = await scene(t, { principals: { b: { credential: 'foreign-token', expiresAt: 1_700_000_010 } } })
  await open(one, 'a', 'hijacked', 'hanging')
  const client = await open(one, 'b', 'hijacked', 'expiring')
  one.verdicts.set('a', null)
  await one.look()
  await one.look()
  t.same(one.verified, ['a'])

  one.clock.advance(10)
  await one.look()
  await client.closed
})

t.test('a stream that ends while its token is looked up is left alone', async (t) => {
  const one = await scene(t)
  const client = await open(one, 'a')
  one.verdicts.set('a', new InvalidTokenError('the grant has ended'))
  mock.timers.tick(1000)
  one.streams.endGrant('grant-1')

  await settle()
  await client.closed

  t.equal(one.events.filter(({ type }) => type === 'access.denied').length, 1)
})

t.test('an answer that has not begun is no stream: it may still be refused or answered in one piece', async (t) => {
  const one = await scene(t)
  const query = new URLSearchParams({ way: 'not begun', name: 'slow', token: 'a' })
  const response = once(get(`${one.app.listeningOrigin}/?${query}`, { agent: false }), 'response') as Promise<[IncomingMessage]>
  while (!one.replies.has('slow')) await new Promise((resolve) => { setImmediate(resolve) })
  one.clock.advance(900)

  one.streams.endGrant('grant-1')
  await one.look()
  one.replies.get('slow')?.raw.end('{}')

  t.equal((await response)[0].statusCode, 200)
})

t.test('forty tokens are all asked after in one look, but for those whose streams end meanwhile', async (t) => {
  const one = await scene(t, { principals: { 'token-39': { grantId: 'grant-b' } } })
  for (let count = 0; count < 40; count += 1) await open(one, `token-${count}`, 'hijacked', String(count))

  mock.timers.tick(1000)
  one.streams.endGrant('grant-b')
  await settle()

  t.equal(new Set(one.verified).size, 39)
})

t.test('HTTP/2: the stream ends and the connection goes on', async (t) => {
  const one = await scene(t, { http2: true, principals: { b: { grantId: 'grant-b' } } })
  const session: Http2Session = connect(one.app.listeningOrigin)
  t.teardown(() => { session.destroy() })
  const request = (token: string, name: string) => {
    const stream = connectStream(session, `/?${new URLSearchParams({ way: 'hijacked', name, token })}`)
    return { stream, first: once(stream, 'data'), closed: once(stream, 'close') }
  }
  const ended = request('a', 'ended')
  const other = request('b', 'other')
  await Promise.all([ended.first, other.first])

  one.streams.endGrant('grant-1')
  await ended.closed

  t.equal(other.stream.closed, false)
  t.equal(session.destroyed, false)
})

function connectStream (session: Http2Session, path: string) {
  if (!('request' in session) || typeof session.request !== 'function') throw new Error('not a client')
  return session.request({ ':path': path })
}
