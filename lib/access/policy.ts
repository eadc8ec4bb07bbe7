import type { Component, ComponentKind, ComponentRule } from '../../types/access.js'
import type { ScopeModel } from '../protocol/scopes.js'

/** What the components of one MCP server need. Built once, at boot. */
export interface Policy {
  readonly model: ScopeModel
  /** Answers `undefined` for a component that no rule names. Names are compared exactly, by code unit. */
  scopesOf (component: Component): readonly string[] | undefined
}

const KINDS: readonly ComponentKind[] = ['tool', 'prompt', 'resource']

function componentOf (rule: ComponentRule, path: string): Component {
  const [named, ...more] = KINDS.flatMap((kind) => {
    const name = rule[kind]
    return name === undefined ? [] : [{ kind, name }]
  })
  if (named === undefined || more.length > 0) {
    throw new TypeError(`${path} must name exactly one of ${KINDS.join(', ')}`)
  }
  return named
}

function assertScopes (rule: ComponentRule, model: ScopeModel, path: string): void {
  const unknown = rule.scopes.findIndex((scope) => !model.has(scope))
  if (unknown !== -1) throw new TypeError(`${path}.scopes.${unknown} is not a scope of the catalogue`)
}

/**
 * Builds the policy that `decide` reads. A component without a rule is denied to everybody.
 * @throws {TypeError} when a rule names no component or several, one that another rule has named, or an unknown
 * scope; the message starts with the path, `components.0`.
 */
export function buildPolicy (input: { model: ScopeModel, components: readonly ComponentRule[] }): Policy {
  const { model, components } = input
  const none = () => new Map<string, readonly string[]>()
  const rules = { tool: none(), prompt: none(), resource: none() }
  for (const [position, rule] of components.entries()) {
    const path = `components.${position}`
    const { kind, name } = componentOf(rule, path)
    assertScopes(rule, model, path)
    if (rules[kind].has(name)) throw new TypeError(`${path} repeats the ${kind} of an earlier rule`)
    rules[kind].set(name, Object.freeze([...rule.scopes]))
  }
  return { model, scopesOf: ({ kind, name }) => rules[kind].get(name) }
}
