import type { AssuranceRule } from '../../../types/access.js'
import type { Principal } from '../../../types/principal.js'
import {
  FORBIDDEN, UNDECIDED, UNKNOWN_COMPONENT, UNKNOWN_METHOD, type Challenges, type Refusal
} from './refusals.js'
import type { Decided } from './report.js'

/** Answers what a client is told about all that was decided, or `null` when all of it is allowed. */
export type ReadVerdict = (decided: readonly Decided[], principal: Principal) => Refusal | null

type Reason = Extract<Decided['decision'], { allowed: false }>['reason']

/** A loop: this runs for every request. */
function isAllowed (decided: readonly Decided[]): boolean {
  for (const { decision } of decided) {
    if (!decision.allowed) return false
  }
  return true
}

const namesComponent = ({ operation }: Decided): boolean =>
  operation.type === 'message' && operation.component !== null

/** What all of the sign-in takes: the shortest age, and the classes of the first that names some. */
function assuranceOf (decided: readonly Decided[]): AssuranceRule {
  const rules = decided.flatMap(({ decision }) =>
    'assurance' in decision && decision.assurance !== undefined ? [decision.assurance] : [])
  const ages = rules.flatMap(({ maxAge }) => maxAge ?? [])
  const acr = rules.find((rule) => rule.acr !== undefined)?.acr
  return {
    ...(ages.length === 0 ? {} : { maxAge: Math.min(...ages) }),
    ...(acr === undefined ? {} : { acr })
  }
}

/**
 * One answer for the whole request: of a batch, all is allowed or nothing (RS-31). What no token would open comes
 * before what more scopes would. With `hideDenied`, a denied component is one that does not exist.
 */
export function buildVerdict (input: { challenges: Challenges, hideDenied: boolean }): ReadVerdict {
  const { challenges, hideDenied } = input

  function reasonOf (one: Decided): Reason | null {
    if (one.decision.allowed) return null
    return hideDenied && namesComponent(one) ? 'unknown-component' : one.decision.reason
  }

  return (decided, principal) => {
    if (isAllowed(decided)) return null
    const reasons = new Set(decided.map(reasonOf))
    if (reasons.has('unknown-method')) return UNKNOWN_METHOD
    // What the client itself left out, it is not told about either.
    if (reasons.has('unknown-component') || reasons.has('filtered')) return UNKNOWN_COMPONENT
    if (reasons.has('host') || reasons.has('insufficient-role')) return FORBIDDEN
    if (reasons.has('host failed')) return UNDECIDED
    if (reasons.has('not-sender-constrained')) return challenges.notSenderConstrained
    const required = decided.flatMap(({ decision }) => decision.required)
    if (reasons.has('insufficient-scope') || reasons.has('empty-grant')) {
      return challenges.insufficientScope(required, principal.scopes)
    }
    const scopes = [...required, ...principal.scopes]
    if (reasons.has('not-consented')) return challenges.consentNeeded(scopes)
    return challenges.insufficientAuthentication(assuranceOf(decided), scopes)
  }
}
