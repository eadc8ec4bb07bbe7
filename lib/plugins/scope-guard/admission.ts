import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { isRevocable, stillHolds } from '../../tokens/liveness.js'
import { UNAVAILABLE, type Challenges, type Refusal } from './refusals.js'
import type { IsMcp } from './routes.js'
import type { Shown } from './sender.js'
import type { Settings } from './settings.js'
import { buildTurnAway } from './turn-away.js'

/** As whom a request was let in, and when: seconds since the Unix epoch. */
interface Admission {
  readonly shown: Shown
  readonly at: number
}

export const ADMISSION = Symbol('mcp-security admission')

declare module 'fastify' {
  interface FastifyRequest {
    /** Left out on the public routes of parts that were registered before the guard. */
    [ADMISSION]?: Admission | null
  }
}

/** Why a request must not go on, and what its client is told. */
interface Ended {
  readonly refusal: Refusal
  readonly reason: string
}

/**
 * The hook that asks again, when all of a request is there, whether who was let in for it still may: a client sends its
 * body as slowly as it likes, and its token may have expired or been revoked meanwhile, or authentication been switched
 * on (RS-14, RS-20). Only when that took until another second: what comes at once is not asked about twice. What the
 * token is bound to was proved for this request and is not asked for again.
 */
export function buildReadmit (input: { settings: Settings, challenges: Challenges, isMcp: IsMcp }) {
  const { settings: { authentication, verifier, clock }, challenges } = input
  const { turnAway, badTokenFor } = buildTurnAway(input)

  /** Without asking anybody else. */
  function endedHere (request: FastifyRequest, shown: Shown, now: number): Ended | null {
    const { principal: { credential, expiresAt } } = shown
    if (expiresAt !== null && expiresAt <= now) return { refusal: badTokenFor(shown), reason: 'expired' }
    const anonymous = credential === 'anonymous' ? authentication.anonymousFor(request) : null
    return typeof anonymous === 'string' ? { refusal: challenges.noToken, reason: anonymous } : null
  }

  async function ended (request: FastifyRequest, shown: Shown, now: number): Promise<Ended | null> {
    const { token, principal } = shown
    const held = await stillHolds(verifier, { token, principal, now })
    if (held === null) return { refusal: UNAVAILABLE, reason: 'token cannot be checked again' }
    return held ? endedHere(request, shown, clock()) : { refusal: badTokenFor(shown), reason: 'token ended' }
  }

  // A callback hook that has answered never calls `done`, so nothing that comes later can run.
  return function readmit (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
    const { [ADMISSION]: admission } = request
    const now = clock()
    if (admission === undefined || admission === null || admission.at === now) { done(); return }
    const { shown } = admission
    const goOn = (end: Ended | null): void => {
      if (end === null) done()
      else turnAway(request, reply, end.refusal, end.reason)
    }
    const end = endedHere(request, shown, now)
    if (end !== null || !isRevocable(shown.principal)) goOn(end)
    else ended(request, shown, now).then(goOn).catch(done)
  }
}
