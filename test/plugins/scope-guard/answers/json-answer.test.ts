import { once } from 'node:events'
import { gzipSync } from 'node:zlib'
import type { RouteHandlerMethod } from 'fastify'
import t from 'tap'
import type { AnswerEdit } from '../../../../lib/plugins/scope-guard/answers/edit.js'
import { answering, hijacked } from '../../../helpers/answering.js'
import { buildApp } from '../../../helpers/build-app.js'
import { call } from '../../../helpers/guard.js'

const MESSAGE = '{"jsonrpc":"2.0","id":1,"result":{"secret":1}}'
const TYPE = { 'content-type': 'application/json' }
const MEGABYTE = 1024 * 1024

interface Deferred { readonly promise: Promise<unknown>, readonly resolve: (value?: unknown) => void }

function deferred (): Deferred {
  let resolve = (_value?: unknown): void => {}
  const promise = new Promise((_resolve) => { resolve = _resolve })
  return { promise, resolve }
}

const strict: AnswerEdit = { message: (message) => ({ ...message, result: 'edited' }) }
const optional: AnswerEdit = { ...strict, optional: true }
const same: AnswerEdit = { message: (message) => message }
const throwing: AnswerEdit = { message: () => { throw new Error('edit failed') } }
const later: AnswerEdit = { message: async (message) => ({ ...message }) }
const rejecting: AnswerEdit = { message: async () => { throw new Error('edit failed') } }

type Sent = string | Buffer

function sending (body: Sent, headers: Readonly<Record<string, string>> = TYPE, status = 200): RouteHandlerMethod {
  return (_request, reply) => { hijacked(reply).writeHead(status, headers).end(body) }
}

const large: RouteHandlerMethod = (_request, reply) => {
  const raw = hijacked(reply).writeHead(200, TYPE)
  raw.write('{"a":"')
  for (let count = 0; count < 17; count++) raw.write(Buffer.alloc(MEGABYTE, 'x'))
  raw.end('"}')
}

const REFUSED: Readonly<Record<string, readonly [edit: AnswerEdit, handler: RouteHandlerMethod, status: number]>> = {
  compressed: [strict, sending(gzipSync(MESSAGE), { ...TYPE, 'content-encoding': 'gzip', etag: '"x"' }), 500],
  'said to be compressed': [strict, sending(MESSAGE, { ...TYPE, 'Content-Encoding': 'identity, br' }), 500],
  'half a message': [strict, sending(MESSAGE.slice(0, -1)), 500],
  'two messages': [strict, sending(MESSAGE + MESSAGE), 500],
  'a text': [strict, sending('"secret"'), 500],
  'a list in a list': [strict, sending(`[[${MESSAGE}]]`), 500],
  'in UTF-16': [strict, sending(Buffer.from(MESSAGE, 'utf16le')), 500],
  'a text of no type': [strict, sending('secret', {}), 500],
  'an error in words': [strict, sending('secret', { 'content-type': 'text/plain' }, 404), 404],
  'larger than 16 MiB': [strict, large, 500],
  'one whose edit fails': [throwing, sending(MESSAGE), 500],
  'one whose edit fails later': [rejecting, sending(MESSAGE), 500],
  'optional, and its edit fails': [{ ...rejecting, optional: true }, sending(MESSAGE), 500]
}

for (const [what, [edit, handler, status]] of Object.entries(REFUSED)) {
  t.test(`an answer that is ${what} is withheld, and an error sent`, async (t) => {
    const app = answering(buildApp(t), { edits: [edit], handler })

    const response = await app.inject({ method: 'POST', url: '/', payload: call('tools/list', {}, 'id-7') })

    t.equal(response.statusCode, status)
    t.strictSame(response.json(), { jsonrpc: '2.0', id: 'id-7', error: { code: -32603, message: 'Internal error' } })
    t.equal(response.headers['content-length'], String(response.rawPayload.length))
    t.equal(response.headers['content-encoding'], undefined)
    t.equal(response.headers.etag, undefined)
    t.notMatch(response.body, 'secret')
  })
}

const PASSED: Readonly<Record<string, readonly [handler: RouteHandlerMethod, body: string | Buffer]>> = {
  compressed: [sending(gzipSync(MESSAGE), { ...TYPE, 'content-encoding': 'gzip' }), gzipSync(MESSAGE)],
  'half a message': [sending(MESSAGE.slice(0, -1)), MESSAGE.slice(0, -1)],
  'of another type': [sending(MESSAGE, { 'content-type': 'text/plain' }), MESSAGE]
}

for (const [what, [handler, body]] of Object.entries(PASSED)) {
  t.test(`an answer that may stay unread and is ${what} passes as it is`, async (t) => {
    const app = answering(buildApp(t), { edits: [optional], handler })

    t.strictSame((await app.inject({ method: 'POST', url: '/' })).rawPayload, Buffer.from(body))
  })
}

t.test('an answer that may stay unread and is larger than 16 MiB passes as it is', async (t) => {
  const app = answering(buildApp(t), { edits: [optional], handler: large })

  const { statusCode, rawPayload } = await app.inject({ method: 'POST', url: '/' })

  t.equal(statusCode, 200)
  t.equal(rawPayload.length, 17 * MEGABYTE + 8)
})

t.test('an answer that becomes too large with its end passes as it is, or is withheld', async (t) => {
  const body = Buffer.alloc(16 * MEGABYTE + 1, '1')
  const passing = answering(buildApp(t), { edits: [optional], handler: sending(body) })
  const refusing = answering(buildApp(t), { edits: [strict], handler: sending(body) })

  t.equal((await passing.inject({ method: 'POST', url: '/' })).rawPayload.length, body.length)
  t.equal((await refusing.inject({ method: 'POST', url: '/' })).statusCode, 500)
})

t.test('an answer that no edit changes keeps its bytes and what describes them', async (t) => {
  const body = '{ "a" : 12345678901234567890 }'
  const app = answering(buildApp(t), { edits: [same], handler: sending(body, { ...TYPE, etag: '"x"', 'content-length': '3' }) })

  const response = await app.inject('/')

  t.equal(response.body, body)
  t.match(response.headers, { etag: '"x"', 'content-length': String(body.length) })
})

t.test('an answer that is changed loses what described its bytes', async (t) => {
  const headers = { ...TYPE, etag: '"x"', 'content-digest': 'sha-256=:x:', 'content-length': '1' }
  const app = answering(buildApp(t), { edits: [strict], handler: sending(MESSAGE, headers) })

  const response = await app.inject('/')

  t.equal(response.json().result, 'edited')
  t.equal(response.headers['content-length'], String(response.rawPayload.length))
  t.notOk('etag' in response.headers || 'content-digest' in response.headers)
})

t.test('no text that an edit is not concerned with is parsed', async (t) => {
  const concerned: AnswerEdit = { ...strict, concerns: (text) => text.includes('secret') }
  const half = answering(buildApp(t), { edits: [concerned], handler: sending('{"a":') })
  const secret = answering(buildApp(t), { edits: [concerned], handler: sending(MESSAGE) })

  t.equal((await half.inject('/')).body, '{"a":')
  t.equal((await secret.inject('/')).json().result, 'edited')
})

t.test('nothing stays empty, and so does a message that is dropped', async (t) => {
  const empty = answering(buildApp(t), { edits: [strict], handler: sending('', TYPE, 202) })
  const dropped = answering(buildApp(t), { edits: [{ message: () => null }], handler: sending(MESSAGE) })

  t.match(await empty.inject('/'), { statusCode: 202, body: '', headers: { 'content-length': '0' } })
  t.match(await dropped.inject('/'), { statusCode: 200, body: '', headers: { 'content-length': '0' } })
})

t.test('trailers come behind an answer that is changed', async (t) => {
  const app = answering(buildApp(t), {
    edits: [strict],
    handler: (_request, reply) => {
      reply.trailer('x-after', async () => 'yes').type('application/json').send(MESSAGE)
    }
  })

  const response = await app.inject('/')

  t.match(response, { trailers: { 'x-after': 'yes' }, headers: { 'content-length': undefined } })
  t.equal(response.json().result, 'edited')
})

t.test('the host sees its answer as written, though it is kept back', async (t) => {
  const seen: unknown[] = []
  let raised: unknown
  const app = answering(buildApp(t), {
    edits: [{ message: async (message) => message }],
    handler: (_request, reply) => {
      const raw = hijacked(reply)
      const look = () => { seen.push([raw.headersSent, raw.writableEnded]) }
      look()
      raw.writeHead(200, TYPE)
      raw.flushHeaders()
      look()
      try { raw.writeHead(200) } catch (error) { raised = error }
      raw.write(MESSAGE, 'utf8', look)
      raw.end(() => { seen.push('finished') })
      look()
      raw.end('more')
      raw.write('more')
    }
  })

  t.equal((await app.inject('/')).body, MESSAGE)
  t.same(seen.sort(), [[false, false], [true, false], [true, true], [true, true], 'finished'].sort())
  t.match(raised, { code: 'ERR_HTTP_HEADERS_SENT' })
})

t.test('a host may use its buffer again', async (t) => {
  const app = answering(buildApp(t), {
    edits: [same],
    handler: (_request, reply) => {
      const raw = hijacked(reply).writeHead(200, TYPE)
      const buffer = Buffer.from('{"a":1}')
      raw.write(buffer)
      buffer.fill('x')
      raw.end()
    }
  })

  t.equal((await app.inject('/')).body, '{"a":1}')
})

for (const [how, edit] of Object.entries({ fails: rejecting, changes: later })) {
  t.test(`a client that leaves while its answer is edited is sent nothing, when the edit ${how} at last`, async (t) => {
    const app = buildApp(t)
    const gone = deferred()
    const began = deferred()
    answering(app, {
      edits: [{ message: async (message) => { began.resolve(); await gone.promise; return message } }, edit],
      handler: (_request, reply) => {
        const raw = hijacked(reply).writeHead(200, TYPE)
        raw.on('close', () => { gone.resolve(undefined) })
        raw.end(MESSAGE)
      }
    })
    const leave = new AbortController()
    const asked = fetch(await app.listen({ port: 0, host: '127.0.0.1' }), { signal: leave.signal })
    await began.promise
    leave.abort()

    await t.rejects(asked)
    await gone.promise
    const next = await app.inject('/')
    t.ok(next.statusCode === 200 || next.statusCode === 500, 'the next one is answered')
  })
}

t.test('a client that leaves before its answer is complete leaves nothing behind', async (t) => {
  const app = buildApp(t)
  const closed = deferred()
  const began = deferred()
  answering(app, {
    edits: [strict],
    handler: async (_request, reply) => {
      const raw = hijacked(reply).writeHead(200, TYPE)
      raw.write(MESSAGE)
      began.resolve()
      await once(raw, 'close')
      raw.end()
      closed.resolve()
    }
  })
  const leave = new AbortController()
  const asked = fetch(await app.listen({ port: 0, host: '127.0.0.1' }), { signal: leave.signal })
  await began.promise
  leave.abort()

  await t.rejects(asked)
  await closed.promise
})
