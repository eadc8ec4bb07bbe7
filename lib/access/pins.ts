import type { Component, ComponentRule } from '../../types/access.js'
import type { ScopeModel } from '../protocol/scopes.js'
import { sha256 } from '../crypto/digest.js'
import { isOpenedBy } from './opened-by.js'
import type { Policy } from './policy.js'
import { componentOf } from './rules.js'

/** 96 bits in base64url: nobody names a component so that it has the pin of another one. */
const LENGTH = 16

/** How a grant remembers a component: of this resource, since one grant may be for several that name theirs alike. */
export function pinOf ({ kind, name }: Component, resource: string): string {
  return sha256(JSON.stringify([resource, kind, name])).slice(0, LENGTH)
}

/**
 * The pins of all destructive components that these scopes open at the moment: what a consent page says they open, and
 * so what a user agrees to who grants them. No more than there are components.
 */
export function pinsOpenedBy (
  asked: readonly string[], { policy, model }: { readonly policy: Policy, readonly model: ScopeModel }
): readonly string[] {
  // No tag opens what is destructive.
  const isOpen = (rule: ComponentRule): boolean =>
    asked.some((scope) => isOpenedBy(rule, { scope, asked, model, tags: [] }))
  return policy.components()
    .filter((rule) => rule.destructive === true && isOpen(rule))
    .map((rule) => pinOf(componentOf(rule, 'components'), policy.resource))
}
