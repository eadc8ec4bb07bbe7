import type { ComponentRule } from '../../types/access.js'
import type { ScopeModel } from '../protocol/scopes.js'
import { scopeOfTag } from '../protocol/tags.js'

/**
 * Whether a component belongs under `scope` when somebody is asked to grant the scopes `asked`: they open it together,
 * and `scope` has a part in it. One that needs several scopes belongs under each of them, rather too often than not at
 * all; one that needs none belongs under every scope. `tags` are those of the component, with those of its server.
 */
export function isOpenedBy (rule: ComponentRule, { scope, asked, model, tags }: {
  readonly scope: string
  readonly asked: readonly string[]
  readonly model: ScopeModel
  readonly tags: readonly string[]
}): boolean {
  const { scopes, anyScope, destructive = false } = rule
  if (!destructive && tags.some((tag) => scopeOfTag(tag) === scope)) return true
  if (scopes === undefined && anyScope === undefined) return false
  const all = scopes ?? []
  const held = anyScope?.filter((one) => model.missing(asked, [one]).length === 0)
  if (held?.length === 0 || model.missing(asked, all).length > 0) return false
  const needed = [...all, ...held ?? []]
  const own = model.closure([scope])
  return needed.length === 0 || needed.some((one) => own.has(one))
}
