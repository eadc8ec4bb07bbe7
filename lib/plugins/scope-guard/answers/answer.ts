import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import type { AnswerEdit, Edits } from './edit.js'

/** Where the bytes of a body go, once the head of the answer is known. Takes what the host gave, in every form. */
export interface Sink {
  write (args: readonly unknown[]): boolean
  end (args: readonly unknown[]): void
}

/** The methods of a response as they were before. */
export type Native = Pick<ServerResponse, 'writeHead' | 'write' | 'end' | 'flushHeaders'>

/** An answer on its way out. */
export interface Answer {
  readonly raw: ServerResponse
  readonly reply: FastifyReply
  readonly native: Native
  readonly edits: AnswerEdit[]
  /** `null` until the host has written a head. */
  sink: Sink | null
  /** Whether the head is kept back until the body is complete. */
  held: boolean
  /** Whether the host has ended the answer. */
  ended: boolean
}

/** An answer whose head is known. */
export interface Headed {
  readonly answer: Answer
  readonly edits: Edits
}

/** In bytes of a JSON answer, and in UTF-16 code units of an event. */
export const MAX_ANSWER = 16 * 1024 * 1024

/** They describe a body that is not sent. */
const OF_THE_BODY =
  ['content-length', 'etag', 'content-md5', 'digest', 'content-digest', 'repr-digest', 'accept-ranges', 'content-range']

export const forgetBody = ({ raw }: Answer): void => { for (const name of OF_THE_BODY) raw.removeHeader(name) }

export function sendHead ({ raw, native }: Answer): void {
  Reflect.apply(native.writeHead, raw, [raw.statusCode])
}

/** Answers what `write` answers. */
export function sendBytes ({ raw, native }: Answer, bytes: string | Buffer): boolean {
  return Reflect.apply(native.write, raw, [bytes])
}

export function sendEnd ({ raw, native }: Answer): void {
  Reflect.apply(native.end, raw, [])
}

/** The host's own calls, as if nobody stood between. */
export function passOn ({ raw, native }: Answer): Sink {
  return {
    write: (args) => Reflect.apply(native.write, raw, args),
    end: (args) => { Reflect.apply(native.end, raw, args) }
  }
}

/** For everything that a host says after its answer has ended. */
export const NOTHING: Sink = Object.freeze({ write: () => true, end: () => {} })

/** For answers that have no body: it is ended when the host ends it. */
export function headOnly (answer: Answer): Sink {
  return { ...NOTHING, end: () => { sendEnd(answer) } }
}

/** JSON-RPC refers to a single request by its id. */
function idOf (body: unknown): string | number | null {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, 'id') || !('id' in body)) return null
  return typeof body.id === 'string' || typeof body.id === 'number' ? body.id : null
}

/**
 * Fails closed: the client gets an error instead of an answer that could not be read, with the host's status where
 * that is one of an error. For an answer whose head is not sent yet.
 */
export function withhold (answer: Answer, reason: unknown): void {
  const { raw, reply } = answer
  reply.log.error({ err: reason }, 'an answer that had to be edited could not be read, and was withheld')
  const error = { code: -32603, message: 'Internal error' }
  const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: idOf(reply.request.body), error }))
  forgetBody(answer)
  for (const name of ['content-encoding', 'transfer-encoding', 'trailer']) raw.removeHeader(name)
  raw.setHeader('content-type', 'application/json; charset=utf-8')
  raw.setHeader('content-length', body.length)
  if (raw.statusCode < 400) {
    raw.statusCode = 500
    if (raw.req.httpVersionMajor < 2) raw.statusMessage = ''
  }
  answer.sink = NOTHING
  sendHead(answer)
  sendBytes(answer, body)
  sendEnd(answer)
}
