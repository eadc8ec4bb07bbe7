import type { Component, ComponentRule, SenderConstraint, Servers, TagLimits } from '../../types/access.js'
import type { ScopeModel } from '../protocol/scopes.js'
import { scopeOfTag, TAG_LIMITS } from '../protocol/tags.js'
import { buildComponentIndex } from './component-index.js'
import { demandOf, plainDemand, type Demand } from './demand.js'
import { pinOf } from './pins.js'
import { assertRule, assertServers, componentOf, tagsOfRule } from './rules.js'
import { buildSenderConstraint } from './sender-constraint.js'

/** Which methods of tasks are open: none, all but `tasks/list`, or those that are said. */
export type Tasks = boolean | { readonly list: boolean }

/** What the components of one MCP server need. Built at boot, and anew whenever the components change. */
export interface Policy {
  readonly model: ScopeModel
  /** Whose components these are; empty where that makes no difference. */
  readonly resource: string
  /** Every tag that some component carries: these are live. */
  readonly tags: ReadonlySet<string>
  /**
   * Which of `tasks/*` are open to every grant: only where the ids of tasks are bound to whoever made them (RS-33), and
   * their list only where the host lists nothing but the caller's own.
   */
  readonly tasks: Tasks
  /** Whether this is a scope of the catalogue or the scope of a live tag. */
  knows (scope: string): boolean
  /** The rules as given. */
  components (): readonly ComponentRule[]
  /** The rule of a component; of several that match a URI the first. */
  ruleOf (component: Component): ComponentRule | undefined
  /** The tags of a component, those of its server included; none for one that no rule names. */
  tagsOf (component: Component): ReadonlySet<string>
  /**
   * All that a component needs: none when no rule names it, which means that nobody may have it. Names are compared
   * exactly, by code unit.
   */
  demandsOf (component: Component): readonly Demand[]
  /** What a method without a component, or a route of the host, needs: these scopes. */
  demandsOfScopes (scopes: readonly string[]): readonly Demand[]
}

export interface PolicyInput {
  readonly model: ScopeModel
  /** The resource whose components these are. A grant that is pinned tells them from those of another one. */
  readonly resource?: string
  readonly components: readonly ComponentRule[]
  readonly servers?: Servers
  /** Default `false`. */
  readonly requireSenderConstraint?: SenderConstraint
  /** Default `false`: `tasks/*` is denied to everybody. */
  readonly tasks?: Tasks
  readonly tagLimits?: TagLimits
}

const NO_SCOPES: readonly string[] = []

/**
 * Builds the policy that `decide` reads. A component without a rule is denied to everybody. What the host does to its
 * options later changes nothing.
 * @throws {TypeError} when a rule names no component or several, one that another rule has named, an unknown scope or
 * server, a malformed tag or URI, or when nothing could ever open it. The message starts with the path, `components.0`.
 */
export function buildPolicy (input: PolicyInput): Policy {
  const { model, servers = {}, requireSenderConstraint = false, tasks = false, tagLimits = TAG_LIMITS } = input
  const { resource = '' } = input
  assertServers(servers, tagLimits)
  const constraint = buildSenderConstraint(requireSenderConstraint, model, tagLimits)
  const components = structuredClone(input.components)
  const index = buildComponentIndex()
  const seen = new Set<string>()
  const live = new Set<string>()

  for (const [position, rule] of components.entries()) {
    const path = `components.${position}`
    const component = componentOf(rule, path)
    const key = `${component.kind} ${component.name}`
    if (seen.has(key)) throw new TypeError(`${path} repeats the ${component.kind} of an earlier rule`)
    seen.add(key)
    const tags = tagsOfRule(rule, servers, path)
    assertRule(rule, { tags, model, limits: tagLimits, path })
    const demand = demandOf(rule, {
      tags, senderConstrained: constraint.ofRule(rule, tags), pin: pinOf(component, resource)
    })
    at(`${path}.${component.kind}`, () => { index.add(component, demand) })
    for (const tag of tags) live.add(tag)
  }

  const known = new Set([...model.names, ...[...live].map(scopeOfTag)])
  const open: readonly Demand[] = [plainDemand(NO_SCOPES, constraint.ofScopes(NO_SCOPES))]
  return {
    model,
    resource,
    tags: live,
    tasks: structuredClone(tasks),
    knows: (scope) => known.has(scope),
    components: () => components,
    ruleOf: (component) => index.find(component)[0]?.rule ?? undefined,
    tagsOf: (component) => new Set(index.find(component).flatMap(({ tags }) => [...tags])),
    demandsOf: index.find,
    demandsOfScopes: (scopes) => scopes.length === 0 ? open : [plainDemand(scopes, constraint.ofScopes(scopes))]
  }
}

function at (path: string, act: () => void): void {
  try {
    act()
  } catch (error) {
    throw new TypeError(`${path} ${(error as TypeError).message}`, { cause: error })
  }
}
