import type { AssuranceRule, Component, ComponentKind, Decision, DenialReason, Operation, TagFilter } from '../../types/access.js'
import type { Clock } from '../../types/clock.js'
import type { Principal } from '../../types/principal.js'
import { isProtocolMethod } from '../protocol/mcp-message.js'
import { isAssured } from './assurance.js'
import { askScopes, type Asked, type Demand } from './demand.js'
import type { Policy } from './policy.js'

/** What a decision is taken by, besides who asks for what. */
export interface Circumstances {
  readonly policy: Policy
  /** Seconds since the Unix epoch; or a clock, which is read only where the age of a sign-in counts. */
  readonly now: number | Clock
  /** How the client narrowed its request; left out or `null`: not at all. */
  readonly filter?: TagFilter | null
}

const NOTHING: readonly string[] = []

/** Methods that reach a component, and of which kinds. */
const REACHES = new Map<string, readonly ComponentKind[]>([
  ['tools/call', ['tool']],
  ['prompts/get', ['prompt']],
  ['resources/read', ['resource']],
  ['resources/subscribe', ['resource']],
  ['resources/unsubscribe', ['resource']],
  ['subscriptions/listen', ['resource']],
  ['completion/complete', ['prompt', 'resource']]
])

/**
 * Methods that reach no component are open to every principal with a grant, but for `tasks/*`: only the principal that
 * made a task may touch it (RS-33), and scopes cannot tell which one that is.
 */
function isOpen (method: string, { tasks }: Policy): boolean {
  if (method === 'tasks/list') return typeof tasks === 'object' && tasks.list
  return isProtocolMethod(method) && (tasks !== false || !method.startsWith('tasks/'))
}

function demandsOfComponent (method: string, component: Component, policy: Policy): readonly Demand[] {
  const found = policy.demandsOf(component)
  if (found.length > 0 || method !== 'completion/complete' || component.kind !== 'resource') return found
  // `ref/resource` names a template by its text, or a resource.
  return policy.demandsOf({ kind: 'resourceTemplate', name: component.name })
}

type Unknown = 'unknown-method' | 'unknown-component'

function demandsOf (operation: Operation, policy: Policy): readonly Demand[] | Unknown {
  if (operation.type === 'route') return policy.demandsOfScopes(operation.scopes)
  const { method, component } = operation
  if (component === null) return isOpen(method, policy) ? policy.demandsOfScopes(NOTHING) : 'unknown-method'
  const kinds = REACHES.get(method)
  if (kinds === undefined) return 'unknown-method'
  const found = kinds.includes(component.kind) ? demandsOfComponent(method, component, policy) : []
  return found.length === 0 ? 'unknown-component' : found
}

/** All that is asked, at once. */
function askAll (demands: readonly Demand[], principal: Principal, policy: Policy): Asked {
  const [only] = demands
  // Nearly everything has one demand: this and the loops below make up nothing for it.
  if (only !== undefined && demands.length === 1) return askScopes(only, principal.scopes, policy.model)
  const asked = demands.map((demand) => askScopes(demand, principal.scopes, policy.model))
  return {
    required: [...new Set(asked.flatMap(({ required }) => required))],
    missing: [...new Set(asked.flatMap(({ missing }) => missing))]
  }
}

function hasGrant ({ scopes }: Principal, policy: Policy): boolean {
  for (const scope of scopes) {
    if (policy.knows(scope)) return true
  }
  return false
}

const hasRole = ({ roles }: Demand, principal: Principal): boolean =>
  roles === null || roles.some((role) => principal.roles.includes(role))

function isFiltered (operation: Operation, demands: readonly Demand[], filter: TagFilter): boolean {
  if (operation.type === 'route' || operation.component === null) return false
  return !filter(new Set(demands.flatMap(({ tags }) => [...tags])))
}

/** Why not, in the order in which it is told: first what no step-up can mend. */
function whyNot (
  asked: Asked, demands: readonly Demand[], who: Principal, now: number | Clock
): DenialReason | AssuranceRule | null {
  for (const demand of demands) {
    if (!hasRole(demand, who)) return 'insufficient-role'
  }
  if (asked.missing.length > 0) return 'insufficient-scope'
  for (const { pin } of demands) {
    if (pin !== null && who.consented?.includes(pin) === false) return 'not-consented'
  }
  for (const { senderConstrained } of demands) {
    if (senderConstrained && who.confirmation === null) return 'not-sender-constrained'
  }
  for (const { assurance } of demands) {
    if (assurance !== null && !isAssured(who, assurance, typeof now === 'number' ? now : now())) return assurance
  }
  return null
}

/**
 * The only place where access is decided. Pure, and monotone: a principal with fewer scopes, fewer roles or a weaker
 * sign-in never reaches more, and a filter of the client takes away only. A principal without any scope of the
 * catalogue and any live tag scope reaches nothing; a method or component that the policy does not know is denied to
 * everybody (RS-31). Scopes count with what they imply, compared one by one and exactly (RS-25), and all that are
 * missing are answered at once (RS-23). Where several rules match a URI, each of them has to allow it. What is
 * destructive and was not there when the user consented, no grant of that consent opens, whatever its scopes.
 *
 * Scopes are not the whole of authorization (RS-30): what a user may see inside of a component stays with the host.
 */
export function decide (principal: Principal, operation: Operation, circumstances: Circumstances): Decision {
  const { policy, now, filter = null } = circumstances
  const demands = demandsOf(operation, policy)
  if (typeof demands === 'string') return { allowed: false, reason: demands, required: NOTHING, missing: NOTHING }
  const asked = askAll(demands, principal, policy)
  const { required, missing } = asked
  if (!hasGrant(principal, policy)) {
    return { allowed: false, reason: 'empty-grant', required, missing: required }
  }
  if (filter !== null && isFiltered(operation, demands, filter)) return { allowed: false, reason: 'filtered', required, missing }
  const why = whyNot(asked, demands, principal, now)
  if (why === null) return { allowed: true, required }
  if (typeof why === 'string') return { allowed: false, reason: why, required, missing }
  return { allowed: false, reason: 'insufficient-authentication', required, missing, assurance: why }
}
