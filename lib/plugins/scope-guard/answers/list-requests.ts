import { isJson, own, type Json } from '../../../protocol/json-edit.js'
import { isListMethod } from '../../../protocol/list-result.js'

/** What a message asked for, by the ids of its requests. */
export interface ListRequests {
  /** Whether anything asks for a list. */
  readonly any: boolean
  /** Whether this answers a request for a list. Where it does not, it may still be a list: that of another request. */
  isAnswer (answer: Json): boolean
}

const NONE: ListRequests = Object.freeze({ any: false, isAnswer: () => false })

/** One message that asks for something else, as nearly all do. */
const asksElse = (body: unknown): boolean => {
  if (!isJson(body)) return false
  const method = own(body, 'method')
  return typeof method === 'string' && !isListMethod(method)
}

const elementsOf = (body: unknown): readonly unknown[] => Array.isArray(body) ? body : [body]

/**
 * Reads what was asked from the parsed body of a request. An id that is used twice counts as that of a list. Where
 * nothing but lists was asked, everything answers one: whatever id the host gives it.
 */
export function readListRequests (body: unknown): ListRequests {
  if (asksElse(body)) return NONE
  const lists = new Set<unknown>()
  let others = 0
  for (const message of elementsOf(body)) {
    if (!isJson(message) || typeof own(message, 'method') !== 'string') continue
    if (isListMethod(message.method)) lists.add(own(message, 'id'))
    else others += 1
  }
  const any = lists.size > 0
  const alone = any && others === 0
  return { any, isAnswer: (answer) => alone || lists.has(own(answer, 'id')) }
}
