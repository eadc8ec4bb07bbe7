import type { ServerResponse } from 'node:http'
import { Duplex } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Principal } from '../../../types/principal.js'

/** An answer that may not be over yet. The next one on its connection takes its place. */
export interface OpenAnswer {
  /** `null`: it is over, or closed. */
  raw: ServerResponse | null
  request: FastifyRequest
  principal: Principal
  /** Since when it is asked whether the token holds, without an answer. Seconds since the Unix epoch. */
  askedSince: number | null
  /** Why it ends when it turns out to be a stream: it had not begun yet when those of its kind were ended. */
  ending: string | null
}

export interface OpenAnswers {
  add (request: FastifyRequest, reply: FastifyReply, principal: Principal): void
  /** All, also those that are over and have no successor yet. Lets go of those nobody waits for. */
  all (): Iterable<readonly [answer: OpenAnswer, raw: ServerResponse]>
  /** Those that have begun and that the host has not ended, whatever their type. */
  streams (): Iterable<readonly [answer: OpenAnswer, raw: ServerResponse]>
  clear (): void
}

/** What closes when an answer does, at the latest. */
type Closing = Duplex | ServerResponse

/** An answer that is sent in one piece never is one. */
export const isStream = (raw: ServerResponse): boolean => raw.headersSent && !raw.writableEnded

/**
 * Whether the client has left. Node does not tell an answer that waits behind others of its connection, nor us when it
 * happened before we asked.
 */
const isLeft = ({ request }: OpenAnswer): boolean => request.raw.socket.destroyed

/**
 * Holds on to the answers that are given, at the price of one look for a request on a connection that is known: there
 * is one record for each connection, which its next request uses again, and none for a connection that is closed. By
 * themselves are the answers of HTTP/2, those of requests that were made up, and one that is not over when the next
 * request of its connection comes.
 */
export function openAnswers (): OpenAnswers {
  const answers = new Map<Closing, OpenAnswer>()

  function forget (this: Closing): void {
    const answer = answers.get(this)
    if (answer !== undefined) answer.raw = null
    answers.delete(this)
  }

  function keep (closing: Closing, answer: OpenAnswer): void {
    if (isLeft(answer)) return
    answers.set(closing, answer)
    // One listener for each guard of an app is no leak, however many there are.
    closing.setMaxListeners(closing.getMaxListeners() + 1).on('close', forget)
  }

  function * all (): Iterable<readonly [answer: OpenAnswer, raw: ServerResponse]> {
    for (const [closing, answer] of answers) {
      if (isLeft(answer)) Reflect.apply(forget, closing, [])
      if (answer.raw !== null) yield [answer, answer.raw]
    }
  }

  return {
    add (request, { raw }, principal) {
      const { socket, httpVersionMajor } = request.raw
      const isAlone = httpVersionMajor !== 1
      const answer = isAlone ? undefined : answers.get(socket)
      if (answer === undefined) {
        const closing = !isAlone && socket instanceof Duplex ? socket : raw
        keep(closing, { raw, request, principal, askedSince: null, ending: null })
        return
      }
      if (answer.raw !== null && !answer.raw.writableEnded) keep(answer.raw, { ...answer })
      answer.raw = raw
      answer.request = request
      answer.principal = principal
      answer.askedSince = null
      answer.ending = null
    },

    all,

    * streams () {
      for (const one of all()) {
        if (isStream(one[1])) yield one
      }
    },

    clear () { answers.clear() }
  }
}
