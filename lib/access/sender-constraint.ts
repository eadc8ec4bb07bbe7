import type { ComponentRule, SenderConstraint, TagLimits } from '../../types/access.js'
import type { ScopeModel } from '../protocol/scopes.js'
import { assertScopes, assertTags } from './rules.js'

/** Where a credential has to be bound to its sender. */
export interface Constraint {
  ofRule (rule: ComponentRule, tags: ReadonlySet<string>): boolean
  ofScopes (scopes: readonly string[]): boolean
}

const PATH = 'requireSenderConstraint'

/**
 * Reads the constraint for the whole resource. Named scopes bind whatever asks for one of them or for a scope that
 * contains one, and named tags whatever carries one: it counts what is asked for, never what a principal has, so that a
 * scope more does not close anything.
 * @throws {TypeError} whose message starts with `requireSenderConstraint`.
 */
export function buildSenderConstraint (
  constraint: SenderConstraint, model: ScopeModel, limits: TagLimits
): Constraint {
  if (typeof constraint === 'boolean') {
    return { ofRule: ({ senderConstrained = false }) => constraint || senderConstrained, ofScopes: () => constraint }
  }
  const { scopes = [], tags = [] } = constraint
  assertScopes(scopes, model, `${PATH}.scopes`)
  assertTags(tags, limits, `${PATH}.tags`)
  if (scopes.length + tags.length === 0) throw new TypeError(`${PATH} must name scopes or tags, or be true or false`)
  const bound = new Set(model.names.filter((name) => model.missing([name], scopes).length < scopes.length))

  const ofScopes = (asked: readonly string[]): boolean => asked.some((scope) => bound.has(scope))
  return {
    ofScopes,
    ofRule: ({ senderConstrained = false, scopes: all, anyScope }, carried) =>
      senderConstrained || [all, anyScope].some((asked) => asked !== undefined && ofScopes(asked)) ||
        tags.some((tag) => carried.has(tag))
  }
}
