import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, RouteHandlerMethod } from 'fastify'
import { editAnswer } from '../../lib/plugins/scope-guard/answers/edit-answer.js'
import type { AnswerEdit } from '../../lib/plugins/scope-guard/answers/edit.js'

/** What a host wants to answer with. */
export interface Body {
  readonly text: string
  readonly type: string
  /** In bytes. Left out: in one piece. */
  readonly chunk?: number
}

const pieces = ({ text, chunk = Infinity }: Body): readonly Buffer[] => {
  const bytes = Buffer.from(text)
  if (chunk >= bytes.length) return [bytes]
  const count = Math.ceil(bytes.length / chunk)
  return Array.from({ length: count }, (_, position) => bytes.subarray(position * chunk, (position + 1) * chunk))
}

const webStream = (body: Body): ReadableStream => {
  const left = pieces(body)[Symbol.iterator]()
  return new ReadableStream({
    pull (controller) {
      const next = left.next()
      if (next.done === true) controller.close()
      else controller.enqueue(next.value)
    }
  })
}

type Write = (reply: FastifyReply, body: Body) => unknown

function writeAll ({ raw }: FastifyReply, body: Body): void {
  for (const piece of pieces(body)) raw.write(piece)
  raw.end()
}

/** Every way of answering that Fastify and Node leave to a host. */
export const WRITERS: Readonly<Record<string, Write>> = {
  'a string': (reply, { text, type }) => reply.type(type).send(text),
  'a buffer': (reply, { text, type }) => reply.type(type).send(Buffer.from(text)),
  'a stream': (reply, body) => reply.type(body.type).send(Readable.from(pieces(body))),
  'a stream with a length': (reply, body) => reply.type(body.type)
    .header('content-length', Buffer.byteLength(body.text)).send(Readable.from(pieces(body))),
  'a web stream': (reply, body) => reply.type(body.type).send(webStream(body)),
  'a response': (reply, body) => reply.send(new Response(webStream(body), { headers: { 'content-type': body.type } })),
  'writeHead with an object': (reply, body) => {
    reply.hijack().raw.writeHead(200, { 'Content-Type': body.type, 'Content-Length': Buffer.byteLength(body.text) })
    writeAll(reply, body)
  },
  'writeHead with a list': (reply, body) => {
    reply.hijack().raw.writeHead(200, 'Fine', ['Content-Type', body.type, 'x-list', 'a', 'X-List', 'b'])
    writeAll(reply, body)
  },
  'writeHead with pairs': (reply, body) => {
    reply.hijack()
    Reflect.apply(reply.raw.writeHead, reply.raw, [200, [['content-type', body.type], ['x-pair', 'a']]])
    writeAll(reply, body)
  },
  'setHeader and flushHeaders': (reply, body) => {
    reply.hijack().raw.setHeader('content-type', body.type)
    reply.raw.flushHeaders()
    writeAll(reply, body)
  },
  'setHeader and nothing but an end': (reply, { text, type }) => {
    reply.hijack().raw.setHeader('content-type', type)
    reply.raw.end(text)
  },
  'a pipe into the raw response': (reply, body) => {
    reply.hijack().raw.setHeader('content-type', body.type)
    Readable.from(pieces(body)).pipe(reply.raw)
  },
  'the raw response without hijack': (reply, body) => {
    reply.raw.writeHead(200, { 'content-type': body.type })
    writeAll(reply, body)
  }
}

/** Puts these edits on every answer of the app. */
export function editAll (app: FastifyInstance, ...edits: readonly AnswerEdit[]): void {
  app.addHook('preHandler', (_request, reply, done) => {
    for (const edit of edits) editAnswer(reply, edit)
    done()
  })
}

export const answeringWith = (write: Write, body: Body): RouteHandlerMethod =>
  (_request, reply) => { write(reply, body) }

/** The events of a stream as a browser would dispatch them, each with its type, id and data. */
export function eventsOf (text: string): ReadonlyArray<Readonly<Record<string, string>>> {
  return text.split('\n\n').filter((event) => event.includes('data:')).map((event) =>
    Object.fromEntries(event.split('\n').filter((line) => !line.startsWith(':')).map((line) => line.split(/: ?(.*)/))))
}

/** The raw response of a reply that is taken out of Fastify's hands. */
export const hijacked = (reply: FastifyReply): FastifyReply['raw'] => reply.hijack().raw

export interface Edits {
  readonly edits: readonly AnswerEdit[]
  readonly handler: RouteHandlerMethod
}

/** An app whose every answer is edited. */
export function answering (app: FastifyInstance, { edits, handler }: Edits): FastifyInstance {
  editAll(app, ...edits)
  app.route({ method: ['GET', 'POST'], url: '/', exposeHeadRoute: true, handler })
  return app
}
