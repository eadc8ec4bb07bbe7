import type { Decision, Operation } from '../../types/access.js'
import type { Principal } from '../../types/principal.js'
import { isProtocolMethod } from '../protocol/mcp-message.js'
import type { Policy } from './policy.js'

const NOTHING: readonly string[] = []

/** Methods that reach a component. */
const COMPONENT_METHODS: ReadonlySet<string> = new Set([
  'tools/call', 'prompts/get', 'resources/read', 'resources/subscribe', 'resources/unsubscribe',
  'completion/complete', 'subscriptions/listen'
])

/**
 * Methods that reach no component are open to every principal with a grant, but for `tasks/*`: only the principal that
 * made a task may touch it (RS-33), and scopes cannot tell which one that is.
 */
const isOpen = (method: string): boolean => isProtocolMethod(method) && !method.startsWith('tasks/')

type Unknown = 'unknown-method' | 'unknown-component'

function requirementOf (operation: Operation, policy: Policy): readonly string[] | Unknown {
  if (operation.type === 'route') return operation.scopes
  const { method, component } = operation
  if (component === null) return isOpen(method) ? NOTHING : 'unknown-method'
  if (!COMPONENT_METHODS.has(method)) return 'unknown-method'
  return policy.scopesOf(component) ?? 'unknown-component'
}

/**
 * The only place where access is decided. Pure, and monotone in the scopes of the principal: more never reach less.
 * A principal without any scope of the catalogue reaches nothing; a method or component that the policy does not
 * know is denied to everybody (RS-31). Scopes count with what they imply, compared one by one and exactly (RS-25),
 * and all that are missing are answered at once (RS-23).
 *
 * Scopes are not the whole of authorization (RS-30): what a user may see inside of a component stays with the host.
 */
export function decide (principal: Principal, operation: Operation, policy: Policy): Decision {
  const required = requirementOf(operation, policy)
  if (typeof required === 'string') return { allowed: false, reason: required, required: NOTHING, missing: NOTHING }
  const { model } = policy
  if (!principal.scopes.some((scope) => model.has(scope))) {
    return { allowed: false, reason: 'empty-grant', required, missing: required }
  }
  if (required.length === 0) return { allowed: true, required }
  const missing = model.missing(principal.scopes, required)
  return missing.length === 0
    ? { allowed: true, required }
    : { allowed: false, reason: 'insufficient-scope', required, missing }
}
