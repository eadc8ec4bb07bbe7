import { once } from 'node:events'
import { gzipSync } from 'node:zlib'
import type { FastifyReply, RouteHandlerMethod } from 'fastify'
import t from 'tap'
import type { AnswerEdit, Json, OpenStream } from '../../../../lib/plugins/scope-guard/answers/edit.js'
import { answering, hijacked } from '../../../helpers/answering.js'
import { buildApp } from '../../../helpers/build-app.js'

const TYPE = { 'content-type': 'text/event-stream; charset=utf-8' }
const event = (data: unknown) => `data: ${JSON.stringify(data)}\n\n`

const strict: AnswerEdit = { message: (message) => ({ ...message, edited: true }) }
const same: AnswerEdit = { message: (message) => message }

const sending = (body: string | Buffer, headers: Readonly<Record<string, string>> = TYPE): RouteHandlerMethod =>
  (_request, reply) => { hijacked(reply).writeHead(200, headers).end(body) }

const open = (reply: FastifyReply) => hijacked(reply).writeHead(200, TYPE)

const BODIES: ReadonlyArray<readonly [says: string, edit: AnswerEdit, body: string, after: string]> = [
  ['a message is edited', strict, event({ a: 1 }), event({ a: 1, edited: true })],
  ['a message that no edit changes keeps its text', same, 'data: { "a" : 1.0 }\n\n', 'data: { "a" : 1.0 }\n\n'],
  ['lines of data are one message', strict, 'data: {\ndata: "a":1}\n\n', event({ a: 1, edited: true })],
  ['a batch is edited', strict, event([{ a: 1 }]), event([{ a: 1, edited: true }])],
  ['an event without data is passed', strict, 'id: 1\nretry: 5\n\n', 'id: 1\nretry: 5\n\n'],
  ['an event with empty data is passed', strict, 'id: 1\ndata: \n\n', 'id: 1\ndata: \n\n'],
  ['a message that is dropped leaves its id', { message: () => null }, `id: 1\n${event({})}`, 'id: 1\n\n'],
  ['ids are edited, but for an empty one', { eventId: (id) => `${id}.tag` }, 'id: 1\ndata: x\n\nid\ndata: y\n\n',
    'id: 1.tag\ndata: x\n\nid: \ndata: y\n\n'],
  ['data of another type is passed', strict, 'event: endpoint\ndata: /messages\n\n', 'event: endpoint\ndata: /messages\n\n'],
  ['what may stay unread is passed', { ...strict, optional: true }, 'data: x\n\n', 'data: x\n\n'],
  ['what no edit is concerned with is passed', { ...strict, concerns: () => false }, 'data: x\n\n', 'data: x\n\n'],
  ['an event that does not end is dropped', strict, `${event({ a: 1 })}data: {"secret":1}`, event({ a: 1, edited: true })],
  ['what follows an event that cannot be read is dropped', strict, `${event({ a: 1 })}data: secret\n\n${event({ b: 1 })}`,
    event({ a: 1, edited: true })],
  ['a line that is none of the format is dropped', strict, `secret\n${event({ a: 1 })}`, event({ a: 1, edited: true })]
]

for (const [says, edit, body, after] of BODIES) {
  t.test(`of an event stream ${says}`, async (t) => {
    const app = answering(buildApp(t), { edits: [edit], handler: sending(body) })

    t.equal((await app.inject('/')).body, after)
  })
}

t.test('events stay in their order when an edit takes its time, and comments do not wait', async (t) => {
  const gates = new Map<unknown, () => void>()
  const edit: AnswerEdit = {
    message: (message) => message.slow === true
      ? new Promise((resolve) => { gates.set(message.n, () => { resolve({ ...message, edited: true }) }) })
      : message
  }
  let flowing: boolean | undefined
  const app = answering(buildApp(t), {
    edits: [edit],
    handler: async (_request, reply) => {
      const raw = open(reply)
      raw.write(event({ n: 1, slow: true }) + event({ n: 2 }) + event({ n: 3, slow: true }))
      flowing = raw.write(': ping\n\n')
      gates.get(1)?.()
      const drained = once(raw, 'drain')
      while (!gates.has(3)) await new Promise((resolve) => { setImmediate(resolve) })
      gates.get(3)?.()
      await drained
      raw.end(event({ n: 4 }))
    }
  })

  const { body } = await app.inject('/')

  t.equal(flowing, false, 'the host is told to wait')
  t.equal(body, `: ping\n\n${event({ n: 1, slow: true, edited: true })}${event({ n: 2 })}` +
    event({ n: 3, slow: true, edited: true }) + event({ n: 4 }))
})

t.test('an end waits for the edits before it, and nothing comes after it', async (t) => {
  const called: string[] = []
  const app = answering(buildApp(t), {
    edits: [{ message: async (message) => message }],
    handler: (_request, reply) => {
      const raw = open(reply)
      raw.write(event({ n: 1 }), () => { called.push('written') })
      raw.end(event({ n: 2 }), () => { called.push('finished') })
      raw.write(event({ n: 3 }))
      raw.end()
    }
  })

  t.equal((await app.inject('/')).body, event({ n: 1 }) + event({ n: 2 }))
  t.same(called, ['written', 'finished'])
})

const FAILING: Readonly<Record<string, AnswerEdit>> = {
  'at once': { message: () => { throw new Error('edit failed') } },
  later: { message: async () => { throw new Error('edit failed') } }
}

for (const [when, edit] of Object.entries(FAILING)) {
  t.test(`an edit that fails ${when} ends the stream, and the event is not sent`, async (t) => {
    const app = answering(buildApp(t), {
      edits: [edit],
      handler: (_request, reply) => {
        const raw = open(reply)
        raw.write(`: hello\n\n${event({ secret: 1 })}${event({ secret: 2 })}`)
        raw.write(event({ secret: 3 }))
        raw.end(event({ secret: 4 }))
      }
    })

    t.equal((await app.inject('/')).body, ': hello\n\n')
  })
}

t.test('an event larger than 16 MiB ends the stream', async (t) => {
  const app = answering(buildApp(t), {
    edits: [strict],
    handler: (_request, reply) => {
      const raw = open(reply)
      raw.write(event({ a: 1 }))
      for (let count = 0; count < 17; count++) raw.write(Buffer.alloc(1024 * 1024, 'x'))
      raw.end()
    }
  })

  t.equal((await app.inject('/')).body, event({ a: 1, edited: true }))
})

t.test('an event stream that is compressed is withheld, or passed where it may stay unread', async (t) => {
  const headers = { ...TYPE, 'content-encoding': 'gzip' }
  const body = gzipSync(event({ secret: 1 }))
  const refused = await answering(buildApp(t), { edits: [strict], handler: sending(body, headers) }).inject('/')
  const passed = await answering(buildApp(t), { edits: [{ ...strict, optional: true }], handler: sending(body, headers) }).inject('/')

  t.match(refused, { statusCode: 500, headers: { 'content-type': /^application\/json/, 'content-encoding': undefined } })
  t.same(passed.rawPayload, body)
})

t.test('TR-14: an event stream that is edited is neither kept nor held back on its way', async (t) => {
  const app = answering(buildApp(t), { edits: [strict], handler: sending('', { ...TYPE, 'content-length': '0' }) })

  const { headers } = await app.inject('/')

  t.match(headers, { 'x-accel-buffering': 'no', 'cache-control': 'no-cache, no-store, no-transform' })
  t.notOk('content-length' in headers)
})

for (const edits of [[{}], [strict]] satisfies AnswerEdit[][]) {
  t.test(`a stream is ended from outside, and what is written later is dropped (${edits[0] === strict ? 'edited' : 'as it is'})`, async (t) => {
    const streams: OpenStream[] = []
    const app = answering(buildApp(t), {
      edits: [...edits, { onStream: (stream) => { streams.push(stream) } }],
      handler: (_request, reply) => {
        const raw = open(reply)
        raw.write(event({ a: 1 }))
        streams[0]?.end()
        t.equal(raw.write(event({ secret: 1 })), true)
        raw.end(event({ secret: 2 }))
        streams[0]?.end()
      }
    })

    const { body } = await app.inject('/')

    t.equal(streams.length, 1)
    t.match(body, /"a":1/)
    t.notMatch(body, 'secret')
  })
}

t.test('a stream that is ended from outside sends nothing of an edit that is not done', async (t) => {
  const app = answering(buildApp(t), {
    edits: [{ message: async (message) => message, onStream: (stream) => { setImmediate(() => { stream.end() }) } }],
    handler: async (_request, reply) => {
      const raw = open(reply)
      await once(raw, 'finish')
      raw.write(event({ secret: 1 }))
    }
  })

  t.equal((await app.inject('/')).body, '')
})

for (const edit of [{ message: async (message: Json) => message }, FAILING.later]) {
  t.test(`ending a stream drops the edits that it waits for, ${edit === FAILING.later ? 'failed' : 'good'} or not`, async (t) => {
    let stream: OpenStream | undefined
    const app = answering(buildApp(t), {
      edits: [{ ...edit, onStream: (opened) => { stream = opened } }],
      handler: (_request, reply) => {
        const raw = open(reply)
        raw.write(event({ secret: 1 }) + event({ secret: 2 }))
        raw.end()
        stream?.end()
      }
    })

    t.equal((await app.inject('/')).body, '')
  })
}

t.test('onStream is for event streams only', async (t) => {
  const streams: OpenStream[] = []
  const onStream = (stream: OpenStream) => { streams.push(stream) }
  const app = answering(buildApp(t), { edits: [{ onStream }], handler: sending('{}', { 'content-type': 'application/json' }) })

  t.equal((await app.inject('/')).body, '{}')
  t.same(streams, [])
})

t.test('a client that reads slowly holds up its host, and gets everything', async (t) => {
  const app = buildApp(t)
  let waited = 0
  const large = event({ text: 'x'.repeat(100_000) })
  answering(app, {
    edits: [strict],
    handler: async (_request, reply) => {
      const raw = open(reply)
      for (let count = 0; count < 100; count++) {
        if (raw.write(large)) continue
        waited += 1
        await once(raw, 'drain')
      }
      raw.end()
    }
  })
  const response = await fetch(await app.listen({ port: 0, host: '127.0.0.1' }))

  const text = await response.text()

  t.equal(text.split('\n\n').length, 101)
  t.ok(waited > 0, 'the host had to wait')
})

t.test('a client that leaves a stream ends it for the host', async (t) => {
  const app = buildApp(t)
  const closed = new Promise((resolve) => {
    answering(app, {
      edits: [{ message: async (message) => message }],
      handler: (_request, reply) => {
        const raw = open(reply)
        raw.write(': hello\n\n')
        raw.on('close', () => {
          raw.write(event({ late: 1 }))
          raw.end()
          resolve('closed')
        })
      }
    })
  })
  const leave = new AbortController()
  const response = await fetch(await app.listen({ port: 0, host: '127.0.0.1' }), { signal: leave.signal })
  await response.body?.getReader().read()
  leave.abort()

  t.equal(await closed, 'closed')
})
