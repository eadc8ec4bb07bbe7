import type { Component, ComponentKind } from '../../types/access.js'
import { isJson, own, within, type Json } from './json-edit.js'
import { component } from './mcp-message.js'

/** Whether a list keeps an item. */
export type Keep = (item: Component) => boolean

interface List {
  readonly kind: ComponentKind
  /** The member by which an item is called. */
  readonly named: string
}

const LISTS: ReadonlyMap<string, List> = new Map([
  ['tools', { kind: 'tool', named: 'name' }],
  ['prompts', { kind: 'prompt', named: 'name' }],
  ['resources', { kind: 'resource', named: 'uri' }],
  ['resourceTemplates', { kind: 'resourceTemplate', named: 'uriTemplate' }]
])

const LIST_METHODS: ReadonlySet<unknown> =
  new Set(['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'])

/** Whether a request of this method is answered with a list. */
export const isListMethod = (method: unknown): boolean => LIST_METHODS.has(method)

/** Items that cannot be called by what they are named are left out. */
function keepItems (items: readonly unknown[], { kind, named }: List, keep: Keep): readonly unknown[] {
  return items.filter((item) => {
    const found = isJson(item) ? component(kind, own(item, named)) : null
    return found !== null && keep(found)
  })
}

/** Every list, however deep, but for what is inside of an item that is kept. */
function filterDeep (value: unknown, keep: Keep): unknown {
  if (Array.isArray(value)) return value.map((element) => filterDeep(element, keep))
  return isJson(value) ? filterObject(value, (member) => filterDeep(member, keep), keep) : value
}

/** A copy. A member named `__proto__` is one like others. */
function filterObject (json: Json, filterOther: (member: unknown) => unknown, keep: Keep): Json {
  return Object.fromEntries(Object.entries(json).map(([name, member]) => {
    const list = LISTS.get(name)
    const filtered = list !== undefined && Array.isArray(member) ? keepItems(member, list, keep) : filterOther(member)
    return [name, filtered]
  }))
}

const makePrivate = (result: Json): Json => ({ ...result, cacheScope: 'private' })

/** A request or notification of the server's own: its `params` are not an answer. */
export const isOwnMessage = (message: Json): boolean =>
  typeof own(message, 'method') === 'string' && !Object.hasOwn(message, 'result') && !Object.hasOwn(message, 'error')

/**
 * The answer to a list request with the items that are kept, in every list that it holds (RS-32). All else stays,
 * `nextCursor` included. `cacheScope` becomes `private` where the answer has one, and where it is `modern`: of revision
 * 2026-07-28. Always a copy, so that nothing which a parser dropped is sent on.
 * @throws {TypeError} for a list that is no array.
 */
export function filterAnswer (message: Json, { keep, modern }: { keep: Keep, modern: boolean }): Json {
  const result = own(message, 'result')
  if (isJson(result)) {
    for (const name of LISTS.keys()) {
      if (Object.hasOwn(result, name) && !Array.isArray(result[name])) throw new TypeError('a list that is no array')
    }
  }
  const filtered = filterObject(message, (member) => filterDeep(member, keep), keep)
  return within(filtered, 'result', (inner) =>
    modern || Object.hasOwn(inner, 'cacheScope') ? makePrivate(inner) : inner)
}

/**
 * The same for an answer of which it is not known what was asked: a list is what has the shape of one, a member
 * `tools`, `prompts`, `resources` or `resourceTemplates` of the result that is an array. Everything else is answered
 * as it is.
 */
export function filterByShape (message: Json, keep: Keep): Json {
  return within(message, 'result', (result) => {
    if (![...LISTS.keys()].some((name) => Array.isArray(own(result, name)))) return result
    const filtered = filterObject(result, (member) => member, keep)
    return Object.hasOwn(filtered, 'cacheScope') ? makePrivate(filtered) : filtered
  })
}

/** The resource that a notification says has changed: `null` when the message is another one or names none. */
export function updatedResource (message: Json): Component | null {
  const params = own(message, 'params')
  return isUpdate(message) && isJson(params) ? component('resource', own(params, 'uri')) : null
}

export const isUpdate = (message: Json): boolean => own(message, 'method') === 'notifications/resources/updated'

/**
 * Whether a JSON text may hold a list or such a notification: cheaper to know than to parse it. A text with escapes of
 * letters may hold anything.
 */
export function mayHoldList (text: string): boolean {
  return text.includes('"tools"') || text.includes('"prompts"') || text.includes('"resources"') ||
    text.includes('"resourceTemplates"') || text.includes('resources/updated') ||
    text.includes('resources\\/updated') || text.includes('\\u')
}
