import type { Component, ComponentKind, Operation } from '../../types/access.js'
import type { Principal } from '../../types/principal.js'
import { decide, type Circumstances } from './decide.js'

const CALL: Readonly<Record<ComponentKind, string>> = {
  tool: 'tools/call', prompt: 'prompts/get', resource: 'resources/read', resourceTemplate: 'completion/complete'
}

/** The operation by which a component is used: what a list may show is decided by it. */
export function callOf ({ kind, name }: Component): Operation {
  return { type: 'message', method: CALL[kind], component: { kind: kind === 'resourceTemplate' ? 'resource' : kind, name } }
}

/**
 * Whether a list may show a component: exactly when its call is not denied, whatever the reason would be. So an item
 * whose call would be answered with a step-up challenge is not listed. A resource template is named by its text.
 */
export function isVisible (principal: Principal, component: Component, circumstances: Circumstances): boolean {
  return decide(principal, callOf(component), circumstances).allowed
}
