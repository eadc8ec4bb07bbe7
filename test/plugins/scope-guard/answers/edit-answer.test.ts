import { connect } from 'node:http2'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import t from 'tap'
import { carryHeaders } from '../../../../lib/plugins/support/carry-headers.js'
import { buildApp, type Teardown } from '../../../helpers/build-app.js'
import { versions } from '../../../helpers/fastify-versions.js'
import { answering, answeringWith, editAll, hijacked, WRITERS } from '../../../helpers/answering.js'
import type { AnswerEdit, Json, OpenStream } from '../../../../lib/plugins/scope-guard/answers/edit.js'

const MESSAGE = { jsonrpc: '2.0', id: 1, result: { text: 'grüße 🎉' } }
const JSON_BODY = { text: JSON.stringify(MESSAGE), type: 'application/json' }
const STREAM = {
  text: `: hello\r\nid: 7\r\nevent: message\r\ndata: ${JSON.stringify(MESSAGE)}\r\n\r\n: bye\n\n`,
  type: 'text/event-stream'
}

const seen: AnswerEdit = { message: (message) => ({ ...message, seen: true }), eventId: (id) => `${id}.tag` }
const later: AnswerEdit = { message: async (message) => ({ ...message, later: true }) }
const other: AnswerEdit = { message: (message) => ({ ...message, other: true }) }

const EDITED: Json = { ...MESSAGE, seen: true, later: true }

for (const [version, build] of Object.entries(versions)) {
  for (const [name, write] of Object.entries(WRITERS)) {
    for (const chunk of [1, 7, Infinity]) {
      t.test(`${name} is edited as JSON, in pieces of ${chunk}, on ${version}`, async (t) => {
        const app = build(t)
        editAll(app, seen, later)
        app.post('/', answeringWith(write, { ...JSON_BODY, chunk }))
        const origin = await app.listen({ port: 0, host: '127.0.0.1' })

        const response = await fetch(origin, { method: 'POST' })
        const text = await response.text()

        t.same(JSON.parse(text), EDITED)
        t.equal(response.headers.get('content-length'), String(Buffer.byteLength(text)))
      })

      t.test(`${name} is edited as an event stream, in pieces of ${chunk}, on ${version}`, async (t) => {
        const app = build(t)
        editAll(app, seen, other)
        app.post('/', answeringWith(write, { ...STREAM, chunk }))
        const origin = await app.listen({ port: 0, host: '127.0.0.1' })

        const response = await fetch(origin, { method: 'POST' })

        t.equal(response.headers.get('content-length'), null)
        t.equal(await response.text(), `: hello\nid: 7.tag\nevent: message\ndata: ${JSON.stringify({ ...MESSAGE, seen: true, other: true })}\n\n: bye\n\n`)
      })
    }
  }
}

const TYPE = { 'content-type': 'application/json' }

/** What the client gets of a host that writes like this. */
async function answered (t: Teardown, edits: readonly AnswerEdit[], write: (raw: FastifyReply['raw']) => void) {
  const app = answering(buildApp(t), { edits, handler: (_request, reply) => { write(hijacked(reply)) } })
  return await app.inject('/')
}

t.test('an answer without an edit is not touched', async (t) => {
  const app = buildApp(t)
  app.get('/', (_request, reply) => {
    const own = Object.getOwnPropertyNames(reply.raw)
    reply.send(own.filter((name) => ['writeHead', 'write', 'end', 'flushHeaders', 'headersSent', 'writableEnded'].includes(name)))
  })

  t.same((await app.inject('/')).json(), [])
})

const HEADS: Readonly<Record<string, readonly [held: object, edit: object, after: object]>> = {
  'a header of its own': [{}, { 'x-new': 'a' }, { 'x-new': 'a' }],
  'a header that the host sets too': [{ 'x-new': 'host' }, { 'X-New': 'edit' }, { 'x-new': 'edit' }],
  'Vary where there is none': [{}, { vary: 'Authorization' }, { vary: 'Authorization' }],
  'Vary behind others': [{ Vary: 'Origin' }, { vary: 'Authorization' }, { vary: 'Origin, Authorization' }],
  'Vary that is there': [{ vary: 'authorization, x' }, { vary: 'Authorization' }, { vary: 'authorization, x' }],
  'Vary of everything': [{ vary: '*' }, { vary: 'Authorization' }, { vary: '*' }],
  'Cache-Control behind others': [{ 'cache-control': 'no-transform' }, { 'cache-control': 'no-store' }, { 'cache-control': 'no-transform, no-store' }],
  'Cache-Control that is there': [{ 'cache-control': 'No-Store' }, { 'cache-control': 'no-store' }, { 'cache-control': 'No-Store' }],
  'Cache-Control that was public': [{ 'cache-control': 'Public, s-maxage=9, max-age=1' }, { 'cache-control': 'no-store' }, { 'cache-control': 'max-age=1, no-store' }]
}

for (const [what, [held, headers, after]] of Object.entries(HEADS)) {
  t.test(`an edit sets ${what}`, async (t) => {
    const response = await answered(t, [{ headers: { ...headers } }], (raw) => { raw.writeHead(200, { ...held }).end('x') })

    t.match(response.headers, after)
    t.equal(response.body, 'x')
  })
}

t.test('an edit takes the id of the session, and makes none', async (t) => {
  const edits = [{ sessionId: (id: string) => `${id}.a` }, { sessionId: (id: string) => `${id}.b` }]

  t.equal((await answered(t, edits, (raw) => { raw.setHeader('Mcp-Session-Id', 's').end() })).headers['mcp-session-id'], 's.a.b')
  t.notOk('mcp-session-id' in (await answered(t, edits, (raw) => { raw.end() })).headers)
})

const BODYLESS: Readonly<Record<string, readonly [method: 'GET' | 'HEAD', status: number]>> = {
  HEAD: ['HEAD', 200], 204: ['GET', 204], 304: ['GET', 304]
}

for (const [what, [method, status]] of Object.entries(BODYLESS)) {
  for (const edit of [seen, { headers: { 'x-new': 'a' } }]) {
    t.test(`an answer without a body stays one: ${what}, ${edit === seen ? 'read' : 'not read'}`, async (t) => {
      const app = answering(buildApp(t), {
        edits: [edit],
        handler: (_request, reply) => {
          const raw = hijacked(reply).writeHead(status, { etag: '"x"', ...method === 'HEAD' ? { 'content-length': '7' } : {} })
          raw.write('secret')
          raw.end('secret')
        }
      })

      const response = await app.inject({ method, url: '/' })

      t.equal(response.statusCode, status)
      t.equal(response.body, '')
      t.equal(response.headers.etag, edit === seen ? undefined : '"x"')
    })
  }
}

t.test('what an edit does not read passes piece by piece', async (t) => {
  const response = await answered(t, [{ eventId: (id) => `${id}.x` }], (raw) => {
    raw.writeHead(200, TYPE)
    raw.write('{"a"', 'utf8')
    raw.end(':1}')
  })

  t.equal(response.body, '{"a":1}')
})

t.test('a head that Node refuses is refused, and another one may follow', async (t) => {
  const raised: unknown[] = []
  const response = await answered(t, [seen], (raw) => {
    for (const args of [[], [99], ['x'], [200, ['odd']], [200, { 'bad name': 'x' }], [200, { a: undefined }]]) {
      try { Reflect.apply(raw.writeHead, raw, args) } catch (error) { raised.push(error) }
    }
    raw.writeHead(201, TYPE).end('{}')
  })

  t.equal(raised.length, 6)
  t.equal(response.statusCode, 201)
  t.same(response.json(), { seen: true })
})

t.test('writeHead takes headers behind nothing, and none at all', async (t) => {
  t.equal((await answered(t, [seen], (raw) => { raw.writeHead(200, undefined, TYPE).end('{}') })).headers['content-type'], TYPE['content-type'])
  t.equal((await answered(t, [seen], (raw) => { raw.setHeader('content-type', 'application/json').writeHead(200, 'Fine').end('{}') })).statusMessage, 'Fine')
})

t.test('chunks are texts in any encoding, or bytes', async (t) => {
  const response = await answered(t, [seen], (raw) => {
    raw.writeHead(200, TYPE)
    raw.write('7b22', 'hex')
    raw.write(Uint8Array.of(97))
    raw.write('\u00fc', 'latin1')
    raw.write(Buffer.from([0xbc]))
    Reflect.apply(raw.write, raw, ['":', 'no such encoding'])
    raw.end('1}', 'utf8')
  })

  t.equal(response.body.length > 0, true)
  t.match(Object.keys(response.json()), [/^a/, 'seen'])
})

t.test('a chunk that is neither is an error of the host', async (t) => {
  let raised: unknown
  const response = await answered(t, [seen], (raw) => {
    raw.writeHead(200, TYPE)
    try { Reflect.apply(raw.write, raw, [7]) } catch (error) { raised = error }
    raw.end('{}')
  })

  t.match(raised, { code: 'ERR_INVALID_ARG_TYPE' })
  t.same(response.json(), { seen: true })
})

t.test('nothing can be sent before an edit that was asked for by name', async (t) => {
  const response = await answered(t, [seen, { ...other, optional: true }], (raw) => { raw.end('secret') })

  t.equal(response.statusCode, 500)
})

for (const order of ['before', 'behind']) {
  t.test(`headers that are carried over reach an answer that is edited, ${order} the edit`, async (t) => {
    const app = buildApp(t)
    app.addHook('onRequest', async (_request, reply) => { reply.header('x-early', 'yes').header('vary', 'Origin') })
    if (order === 'before') carryHeaders(app)
    editAll(app, { ...seen, headers: { vary: 'Authorization' } })
    if (order === 'behind') carryHeaders(app)
    app.get('/raw', (_request, reply) => { hijacked(reply.type('application/json')).end('{}') })
    app.get('/head', (_request, reply) => { hijacked(reply).writeHead(200, TYPE).end('{}') })
    app.get('/sent', async () => ({}))

    for (const url of ['/raw', '/head', '/sent']) {
      const response = await app.inject(url)
      t.match(response.headers, { 'x-early': 'yes', vary: 'Origin, Authorization' }, url)
      t.same(response.json(), { seen: true }, url)
    }
  })
}

t.test('a host that compresses for clients which accept it has none here', async (t) => {
  const app = buildApp(t)
  editAll(app, seen)
  app.addHook('onSend', async (request, reply, payload) => {
    const accepted = String(request.headers['accept-encoding']).includes('gzip')
    if (!accepted || typeof payload !== 'string') return payload
    reply.header('content-encoding', 'gzip')
    return gzipSync(payload)
  })
  app.get('/', async () => ({}))

  t.same((await app.inject({ url: '/', headers: { 'accept-encoding': 'gzip' } })).json(), { seen: true })
})

for (const [version, build] of Object.entries(versions)) {
  t.test(`a host that fails before it has written is answered as ever, on ${version}`, async (t) => {
    const app = answering(build(t), { edits: [seen], handler: async () => { throw new Error('host failed') } })

    t.match(await app.inject('/'), { statusCode: 500, body: '"message":"host failed","seen":true' })
  })

  t.test(`a stream of the host that breaks is an error of the host, on ${version}`, async (t) => {
    const broken = () => Readable.from((async function * () { yield '{"secret":'; throw new Error('broken') })())
    const app = answering(build(t), { edits: [seen], handler: (_request, reply) => reply.type('application/json').send(broken()) })
    const origin = await app.listen({ port: 0, host: '127.0.0.1' })

    await t.rejects(fetch(origin).then(async (response) => await response.text()))
  })
}

t.test('HTTP/2 is edited like HTTP/1', async (t) => {
  const app = Fastify({ http2: true }) as unknown as FastifyInstance
  t.teardown(async () => { await app.close() })
  editAll(app, seen, later)
  app.post('/', (_request, reply) => {
    const raw = hijacked(reply).writeHead(200, TYPE)
    raw.write(JSON_BODY.text.slice(0, 9))
    raw.end(JSON_BODY.text.slice(9))
  })
  app.post('/sent', async () => MESSAGE)
  app.post('/stream', (_request, reply) => { hijacked(reply).writeHead(200, 'Fine', { 'content-type': STREAM.type }).end(STREAM.text) })
  app.post('/broken', (_request, reply) => { hijacked(reply).writeHead(200, TYPE).end('{') })
  const client = connect(await app.listen({ port: 0, host: '127.0.0.1' }))
  t.teardown(() => { client.destroy() })
  const ask = async (path: string): Promise<string> => {
    const stream = client.request({ ':path': path, ':method': 'POST' })
    stream.end()
    return await text(stream)
  }

  t.same(JSON.parse(await ask('/')), EDITED)
  t.same(JSON.parse(await ask('/sent')), EDITED)
  t.match(await ask('/stream'), `data: ${JSON.stringify(EDITED)}`)
  t.match(await ask('/broken'), '-32603')
})

t.test('an error for an answer that is withheld refers to the request, where there is one', async (t) => {
  const app = answering(buildApp(t), {
    edits: [seen],
    handler: (_request, reply) => { hijacked(reply).writeHead(200, { ...TYPE, 'content-encoding': 'gzip' }).end('secret') }
  })
  const idFor = async (payload?: object) => {
    const response = await app.inject({ method: 'POST', url: '/', ...payload === undefined ? {} : { payload } })
    t.equal(response.statusCode, 500)
    return response.json().id
  }

  t.same(await Promise.all([{ id: 7 }, { id: 'a' }, { id: [1] }, {}, [{ id: 7 }], undefined].map(idFor)),
    [7, 'a', null, null, null, null])
})

t.test('a stream of the host is ended from outside', async (t) => {
  const streams: OpenStream[] = []
  const response = await answered(t, [{ onStream: (stream) => { streams.push(stream) } }], (raw) => {
    raw.writeHead(200, { 'content-type': 'text/event-stream' })
    raw.write('data: 1\n\n')
    streams[0]?.end()
    streams[0]?.end()
    raw.write('data: 2\n\n')
    raw.end('data: 3\n\n')
  })

  t.equal(response.body, 'data: 1\n\n')
})

t.test('who waits for a chunk or for the end is told', async (t) => {
  const told: string[] = []
  await answered(t, [seen], (raw) => {
    raw.writeHead(200, TYPE)
    raw.write('{', () => { told.push('chunk') })
    raw.end('}', () => { told.push('end') })
  })

  t.same(told.sort(), ['chunk', 'end'])
})

t.test('an event stream that is compressed passes where it may stay unread', async (t) => {
  const headers = { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' }
  const encoded = async (edit: AnswerEdit) => await answered(t, [edit], (raw) => { raw.writeHead(200, headers).end('x') })

  t.equal((await encoded({ ...seen, optional: true })).body, 'x')
  t.equal((await encoded(seen)).statusCode, 500)
  t.equal((await encoded({})).body, 'x')
})

t.test('JSON that is compressed or of another type passes where it may stay unread', async (t) => {
  const sent = async (headers: Readonly<Record<string, string>>) =>
    await answered(t, [{ ...seen, optional: true }], (raw) => { raw.writeHead(200, headers).end('{}') })

  t.equal((await sent({ ...TYPE, 'content-encoding': 'gzip' })).body, '{}')
  t.equal((await sent({ 'content-type': 'text/plain' })).body, '{}')
})

t.test('a second head is an error of the host, as ever', async (t) => {
  let raised: unknown
  await answered(t, [seen], (raw) => {
    raw.writeHead(200, TYPE)
    try { raw.writeHead(200, TYPE) } catch (error) { raised = error }
    raw.end('{}')
  })

  t.match(raised, { code: 'ERR_HTTP_HEADERS_SENT' })
})

t.test('nothing follows the end of an answer that is still edited', async (t) => {
  const response = await answered(t, [later], (raw) => {
    raw.writeHead(200, TYPE).end('{}')
    raw.write('{"secret":1}')
    raw.end('{"secret":2}')
  })

  t.same(response.json(), { later: true })
})

t.test('nothing is sent past somebody who keeps the head back', async (t) => {
  const response = await answered(t, [seen], (raw) => {
    const { writeHead } = raw
    raw.writeHead = () => raw
    raw.write('{"secret":1}')
    raw.writeHead = writeHead
    raw.writeHead(200, TYPE).end('{}')
  })

  t.same(response.json(), { seen: true })
})
