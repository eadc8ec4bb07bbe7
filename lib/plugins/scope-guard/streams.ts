import type { ServerResponse } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../../../types/clock.js'
import type { Principal, TokenVerifier } from '../../../types/principal.js'
import { isRevocable, stillHolds } from '../../tokens/liveness.js'
import { recordEvent } from '../support/record-event.js'
import { isStream, openAnswers, type OpenAnswer } from './open-answers.js'

/** Seconds that a stream stays open while nobody can say whether its token still holds. */
const UNCHECKED = 30
/** Tokens that are looked up at the same time. */
const AT_ONCE = 32

/** A stream that is asked after. Its answer may have become that to another request since. */
interface Open {
  readonly answer: OpenAnswer
  readonly raw: ServerResponse
}

export interface Streams {
  /** Call it for every request that was let through, before it is answered. */
  watch (request: FastifyRequest, reply: FastifyReply, principal: Principal): void
  /**
   * Ends the open streams of a grant at once, and within `recheck` seconds those that begin later:
   * `grants.onRevoked(streams.endGrant)`.
   */
  endGrant (grantId: string): void
  /** The same for the streams of nobody in particular: when authentication is switched on. */
  endAnonymous (): void
  /** Ends no stream, and looks after none any more. */
  stop (): void
}

/**
 * Ends open event streams when their token ends (RS-20): by expiry within `recheck` seconds, by revocation at once
 * where `endGrant` is called, and else when the verifier, which is asked every `recheck` seconds, refuses the token:
 * once for all streams of one token (`stillHolds`). While the verifier cannot tell, streams stay open for 30 seconds,
 * and never past their token's expiry.
 *
 * A stream is ended by closing its connection (HTTP/2: the stream), as if the client had left: nothing that the host
 * writes later is sent. Answers that are sent in one piece are not ended, however long they took to begin.
 */
export function watchStreams (input: {
  readonly verifier: TokenVerifier
  readonly clock: Clock
  /** Seconds. */
  readonly recheck: number
}): Streams {
  const { verifier, clock, recheck } = input
  const answers = openAnswers()
  let asking = false

  /** `reason` is a stable phrase of ours. */
  function end (answer: OpenAnswer, raw: ServerResponse, reason: string): void {
    const { request, principal } = answer
    answer.raw = null
    const { subject, clientId, grantId, resource, scopes: scopesGranted } = principal
    recordEvent(request, { type: 'access.denied', subject, clientId, grantId, resource, scopesGranted, reason })
    raw.destroy()
  }

  function endThose (whether: (principal: Principal) => boolean, reason: string): void {
    for (const [answer, raw] of answers.all()) {
      if (!whether(answer.principal)) continue
      if (isStream(raw)) end(answer, raw, reason)
      else answer.ending = reason
    }
  }

  /** Ends what can no longer hold; answers, by token, the streams whose token is to be asked after. */
  function sweep (now: number): ReadonlyMap<string, readonly Open[]> {
    const open = new Map<string, Open[]>()
    for (const [answer, raw] of answers.streams()) {
      const { principal, request, ending } = answer
      const token = request.raw.auth?.token
      if (ending !== null) end(answer, raw, ending)
      else if (principal.expiresAt !== null && principal.expiresAt <= now) end(answer, raw, 'token expired')
      else if (token === undefined || !isRevocable(principal)) continue
      else if (now - (answer.askedSince ??= now) > UNCHECKED) end(answer, raw, 'token not checked for too long')
      else {
        const others = open.get(token)
        if (others === undefined) open.set(token, [{ answer, raw }])
        else others.push({ answer, raw })
      }
    }
    return open
  }

  async function ask (token: string, streams: readonly Open[]): Promise<void> {
    // Some may have ended since.
    const left = () => streams.filter(({ answer, raw }) => answer.raw === raw)
    const [one] = left()
    if (one === undefined) return
    const held = await stillHolds(verifier, { token, principal: one.answer.principal, now: clock() })
    for (const { raw, answer } of left()) {
      if (held === true) answer.askedSince = null
      if (held === false) end(answer, raw, 'token ended')
    }
  }

  async function askAll (open: ReadonlyMap<string, readonly Open[]>): Promise<void> {
    const tokens = open.entries()
    const worker = async (): Promise<void> => { for (const [token, streams] of tokens) await ask(token, streams) }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
  }

  const timer = setInterval(() => {
    const open = sweep(clock())
    // A round that hangs holds up the next one, but never what expires.
    if (asking || open.size === 0) return
    asking = true
    askAll(open).finally(() => { asking = false })
  }, recheck * 1000).unref()

  return {
    watch: answers.add,

    endGrant (grantId) {
      endThose((principal) => principal.grantId === grantId, 'grant revoked')
    },

    endAnonymous () {
      endThose(({ credential }) => credential === 'anonymous', 'authentication switched on')
    },

    stop () {
      clearInterval(timer)
      answers.clear()
    }
  }
}
