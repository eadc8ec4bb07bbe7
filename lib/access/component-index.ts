import type { Component } from '../../types/access.js'
import type { Demand } from './demand.js'
import { buildResources } from './resources.js'

/** The demands of all components, by what a request names. */
export interface ComponentIndex {
  /** @throws {TypeError} for a URI or template that no request could ever match. */
  add (component: Component, demand: Demand): void
  /** All demands that a component has to meet; none for one that was never added. */
  find (component: Component): readonly Demand[]
}

const NONE: readonly Demand[] = Object.freeze([])

/** Tools and prompts are named exactly, by code unit; resources by exact URI and by template. */
export function buildComponentIndex (): ComponentIndex {
  const named = { tool: new Map<string, readonly Demand[]>(), prompt: new Map<string, readonly Demand[]>() }
  const resources = buildResources()

  return {
    add ({ kind, name }, demand) {
      if (kind === 'resource') resources.addUri(name, demand)
      else if (kind === 'resourceTemplate') resources.addTemplate(name, demand)
      else named[kind].set(name, [demand])
    },
    find ({ kind, name }) {
      if (kind === 'resource') return resources.ofUri(name)
      if (kind === 'resourceTemplate') return resources.ofTemplate(name)
      return named[kind].get(name) ?? NONE
    }
  }
}
