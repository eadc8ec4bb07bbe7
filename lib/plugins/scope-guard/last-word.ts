import type { FastifyRequest } from 'fastify'
import type { AccessCheck, AccessInput } from '../../../types/guard.js'
import type { Principal } from '../../../types/principal.js'
import type { Decided, Verdict } from './report.js'
import type { Wish } from './wish.js'

/** What the host makes of what was decided. A promise only where the host's own answer is one. */
export type LastWord = (
  asked: { request: FastifyRequest, principal: Principal, wish: Wish }, decided: readonly Decided[]
) => readonly Decided[] | Promise<readonly Decided[]>

/** `null`: the host allows it. `host failed`: it could not say, which is logged. */
export type HostAnswer = null | 'host' | 'host failed'

const answerOf = (allowed: unknown): HostAnswer => allowed === true ? null : 'host'

const isKnown = (one: Decided | Promise<Decided>): one is Decided => !(one instanceof Promise)

/** Asks the host about one operation. Fails closed: everything but `true` is a no, and a failure is none the less. */
export function askHost (access: AccessCheck, input: AccessInput): HostAnswer | Promise<HostAnswer> {
  const failed = (error: unknown): HostAnswer => {
    input.request.log.error({ err: error }, 'the access callback failed')
    return 'host failed'
  }
  try {
    const allowed: unknown = access(input)
    return typeof allowed === 'boolean' ? answerOf(allowed) : Promise.resolve(allowed).then(answerOf).catch(failed)
  } catch (error) {
    return failed(error)
  }
}

function judge ({ operation, decision }: Decided, answer: HostAnswer): Decided {
  if (answer === null) return { operation, decision }
  const denied: Verdict = { allowed: false, reason: answer, required: decision.required, missing: [] }
  return { operation, decision: denied }
}

/**
 * The host's last word (RS-30) on what the policy allows. What the policy denies is not asked about, nor anything of a
 * request part of which is denied anyway.
 */
export function buildLastWord (access: AccessCheck | undefined): LastWord {
  if (access === undefined) return (_asked, decided) => decided
  return ({ request, principal, wish }, decided) => {
    if (!wish.reportOnly && decided.some(({ decision }) => !decision.allowed)) return decided
    const judged = decided.map((one) => {
      if (!one.decision.allowed) return one
      const answer = askHost(access, { principal, operation: one.operation, request })
      return answer instanceof Promise ? answer.then((late) => judge(one, late)) : judge(one, answer)
    })
    return judged.every(isKnown) ? judged : Promise.all(judged)
  }
}
