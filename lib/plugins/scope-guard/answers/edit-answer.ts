import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import {
  forgetBody, headOnly, NOTHING, passOn, sendEnd, sendHead, withhold, type Answer, type Headed, type Sink
} from './answer.js'
import { combine, type AnswerEdit, type OpenStream } from './edit.js'
import { rewriteEvents } from './event-answer.js'
import { editHead, isEncoded, isHead, kindOf, takeHead } from './head.js'
import { holdJson } from './json-answer.js'

const symbol = Symbol('mcp-security-answer')

type Guarded = ServerResponse & { [symbol]: Answer }

function pass (answer: Answer): Sink {
  sendHead(answer)
  return passOn(answer)
}

function refuse (answer: Answer): Sink {
  withhold(answer, new TypeError('the answer is encoded'))
  return NOTHING
}

/** A stream that somebody may end while the host still writes. */
function openStream (answer: Answer): OpenStream {
  return {
    end () {
      if (answer.sink === NOTHING) return
      answer.sink = NOTHING
      sendEnd(answer)
    }
  }
}

/** Decides by the head what is done with the body. */
function openSink ({ answer, edits }: Headed): Sink {
  const { raw } = answer
  const kind = kindOf(raw)
  const reads = edits.messages.length > 0
  if (kind === 'bodyless') {
    if (reads) forgetBody(answer)
    sendHead(answer)
    return headOnly(answer)
  }
  if (kind === 'event-stream') {
    if (!reads && edits.eventIds.length === 0) return pass(answer)
    if (isEncoded(raw)) return edits.strict ? refuse(answer) : pass(answer)
    return rewriteEvents({ answer, edits })
  }
  if (!reads || (kind === 'other' && !edits.strict)) return pass(answer)
  if (isEncoded(raw)) return edits.strict ? refuse(answer) : pass(answer)
  return holdJson({ answer, edits })
}

/** Every way of beginning an answer ends here. */
function writeHead (this: Guarded, ...args: readonly unknown[]): Guarded {
  const answer = this[symbol]
  if (answer.sink !== null) {
    throw Object.assign(new Error('The head of this answer is written already'), { code: 'ERR_HTTP_HEADERS_SENT' })
  }
  // Node says what is wrong with it.
  if (!isHead(args)) return Reflect.apply(answer.native.writeHead, this, args)
  takeHead(this, args)
  const edits = combine(answer.edits)
  editHead(this, edits)
  answer.sink = openSink({ answer, edits })
  if (kindOf(this) === 'event-stream') {
    const stream = openStream(answer)
    for (const tell of edits.onStream) tell(stream)
  }
  return this
}

/** The sink of an answer, whose head is written if the host has not done so. Nothing comes after the end. */
function sinkOf (raw: Guarded): Sink {
  const { sink, ended } = raw[symbol]
  if (ended) return NOTHING
  if (sink !== null) return sink
  // Not our own function: somebody else may stand before it.
  raw.writeHead(raw.statusCode)
  return raw[symbol].sink ?? NOTHING
}

function write (this: Guarded, ...args: readonly unknown[]): boolean {
  return sinkOf(this).write(args)
}

function end (this: Guarded, ...args: readonly unknown[]): Guarded {
  sinkOf(this).end(args)
  return this
}

function flushHeaders (this: Guarded): void {
  sinkOf(this)
  if (!this[symbol].held) Reflect.apply(this[symbol].native.flushHeaders, this, [])
}

const isGuarded = (raw: ServerResponse): raw is Guarded => symbol in raw

/** What Node itself would say. */
const native = (raw: ServerResponse, name: string): unknown => Reflect.get(Object.getPrototypeOf(raw), name, raw)

/** What the host sees of its own writing is what it would see if nobody stood between. */
const AS_WRITTEN: PropertyDescriptorMap & ThisType<Guarded> = {
  headersSent: { configurable: true, get () { return this[symbol].held || native(this, 'headersSent') } },
  writableEnded: { configurable: true, get () { return this[symbol].ended || native(this, 'writableEnded') } }
}

/**
 * Edits the answer to one request, whichever way the host sends it: through Fastify or by `reply.raw`, hijacked or not,
 * as JSON or as an event stream. Called before the handler runs; several edits are applied in the order of the calls.
 *
 * JSON is kept back until it is complete, at most 16 MiB of it, and sent with the right `Content-Length`. Event
 * streams are edited event by event; comments pass at once. What had to be read and cannot be is withheld (see
 * `AnswerEdit.optional`), and logged. The host is told that the client accepts no compression.
 *
 * Does *not* see what is written to the socket itself, or to the stream under an HTTP/2 response.
 */
export function editAnswer (reply: FastifyReply, edit: AnswerEdit): void {
  const { raw } = reply
  const { headers } = reply.request.raw
  if (headers['accept-encoding'] !== undefined) headers['accept-encoding'] = 'identity'
  if (isGuarded(raw)) { raw[symbol].edits.push(edit); return }
  const before = { writeHead: raw.writeHead, write: raw.write, end: raw.end, flushHeaders: raw.flushHeaders }
  const answer: Answer = { raw, reply, native: before, edits: [edit], sink: null, held: false, ended: false }
  Object.assign(raw, { [symbol]: answer, writeHead, write, end, flushHeaders })
  Object.defineProperties(raw, AS_WRITTEN)
}
