import type { AssuranceRule, ComponentRule } from '../../types/access.js'
import type { ScopeModel } from '../protocol/scopes.js'
import { scopeOfTag } from '../protocol/tags.js'

/** What something needs, made ready to be held against a principal. */
export interface Demand {
  /** `null` where no rule stands behind it: a route, or a method without a component. */
  readonly rule: ComponentRule | null
  /** Its own and those of its server. */
  readonly tags: ReadonlySet<string>
  /** All are needed. `null`: no scopes open it, only a tag scope does. */
  readonly scopes: readonly string[] | null
  /** At least one is needed besides. `null`: none. */
  readonly anyScope: readonly string[] | null
  /** Each opens it by itself. */
  readonly tagScopes: readonly string[]
  readonly roles: readonly string[] | null
  readonly assurance: AssuranceRule | null
  readonly senderConstrained: boolean
  /** Of what is destructive: a grant that is pinned opens it only when it names this. `null` for everything else. */
  readonly pin: string | null
}

const NONE: readonly string[] = Object.freeze([])
const NO_TAGS: ReadonlySet<string> = new Set()

/** The demand of a rule that carries these tags; `pin` counts when it is destructive. */
export function demandOf (rule: ComponentRule, { tags, senderConstrained, pin }: {
  readonly tags: ReadonlySet<string>
  readonly senderConstrained: boolean
  readonly pin: string
}): Demand {
  const { scopes, anyScope, roles, assurance, destructive = false } = rule
  return {
    rule,
    tags,
    scopes: scopes === undefined && anyScope === undefined ? null : Object.freeze([...scopes ?? NONE]),
    anyScope: anyScope ?? null,
    tagScopes: destructive ? NONE : [...tags].map(scopeOfTag),
    roles: roles ?? null,
    assurance: assurance ?? null,
    senderConstrained,
    pin: destructive ? pin : null
  }
}

/** The demand of what no rule names. */
export function plainDemand (scopes: readonly string[], senderConstrained: boolean): Demand {
  return {
    rule: null,
    tags: NO_TAGS,
    scopes,
    anyScope: null,
    tagScopes: NONE,
    roles: null,
    assurance: null,
    senderConstrained,
    pin: null
  }
}

/** What is asked of a grant and what it lacks, both in full (RS-23). */
export interface Asked {
  readonly required: readonly string[]
  readonly missing: readonly string[]
}

/**
 * Holds granted scopes against a demand. Of several ways in, a tag scope that was granted counts first; where none is,
 * `required` names a smallest set that opens it: the scopes with the first of `anyScope`, else the first tag scope.
 */
export function askScopes (demand: Demand, granted: readonly string[], model: ScopeModel): Asked {
  const { scopes, anyScope, tagScopes } = demand
  for (const scope of tagScopes) {
    if (granted.includes(scope)) return { required: [scope], missing: NONE }
  }
  if (scopes === null) return { required: tagScopes.slice(0, 1), missing: tagScopes.slice(0, 1) }
  if (anyScope === null) return { required: scopes, missing: model.missing(granted, scopes) }
  const held = anyScope.findIndex((scope) => model.missing(granted, [scope]).length === 0)
  const chosen = Math.max(held, 0)
  const required = [...new Set([...scopes, ...anyScope.slice(chosen, chosen + 1)])]
  return { required, missing: model.missing(granted, required) }
}
