import { isJson, own, type Json } from './json-edit.js'

/** What a `requestState` is good for: the method, the name of the component, and its arguments as JSON. */
export type StateUse = readonly [method: string, component: string, args: string]

const METHODS: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read'])

/** Whether the answer to a method may be that more input is needed (revision 2026-07-28). */
export const maySuspend = (method: string): boolean => METHODS.has(method)

const textOf = (value: unknown): string => typeof value === 'string' ? value : ''

/**
 * What a state is good for that the answer to this request holds, or that it brings back: a client repeats its request
 * as it was (RS-33), so arguments that were changed are those of another. `null` for a request that may hold none.
 */
export function stateUseOf (request: unknown): StateUse | null {
  if (!isJson(request)) return null
  const method = textOf(request.method)
  const params = own(request, 'params')
  if (!maySuspend(method) || !isJson(params)) return null
  const name = textOf(method === 'resources/read' ? own(params, 'uri') : own(params, 'name'))
  try {
    return [method, name, JSON.stringify(own(params, 'arguments') ?? {})]
  } catch {
    // Nested so deeply that nobody can write it down again.
    return null
  }
}

/** The request that a message answers: the one that was sent, or the one with its id in a batch. */
export function requestOf (body: unknown, answer: Json): unknown {
  if (!Array.isArray(body)) return body
  return body.find((element) => isJson(element) && element.id === answer.id)
}
