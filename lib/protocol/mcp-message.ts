import type { Component, Operation } from '../../types/access.js'

/** JSON-RPC 2.0 §5.1: parse error, invalid request, invalid params. */
export type MalformedCode = -32700 | -32600 | -32602

export type MessageId = string | number | null

export type McpMessage =
  | {
    readonly malformed: false
    readonly operations: readonly Operation[]
    readonly batch: boolean
    readonly id: MessageId
  }
  /** `reason` is a stable phrase of our own. */
  | { readonly malformed: true, readonly code: MalformedCode, readonly reason: string, readonly id: MessageId }

type Fields = Readonly<Record<string, unknown>>
type Refusal = Extract<McpMessage, { malformed: true }>

const MAX_BATCH = 100
const MAX_SUBSCRIPTIONS = 1000
const MAX_OPERATIONS = MAX_BATCH + MAX_SUBSCRIPTIONS
const MAX_NAME = 2048

/** The method of an operation that is the client's answer to one of our requests. No client can send it as a method. */
export const RESPONSE = 'response'

/** What a client may send of the protocol itself, in every revision, apart from the methods that name a component. */
const PROTOCOL_METHODS = new Set([
  RESPONSE, 'initialize', 'ping', 'server/discover', 'logging/setLevel',
  'tools/list', 'prompts/list', 'resources/list', 'resources/templates/list', 'subscriptions/listen',
  'tasks/get', 'tasks/list', 'tasks/result', 'tasks/update', 'tasks/cancel',
  'notifications/initialized', 'notifications/cancelled', 'notifications/progress', 'notifications/roots/list_changed',
  'notifications/tasks/status', 'notifications/elicitation/complete'
])

const OPERATIONS = new Map<string, Operation>([...PROTOCOL_METHODS].map((method) =>
  [method, Object.freeze({ type: 'message', method, component: null })]))

/** Methods that name one component, and how to find it. `null`: the request does not name one. */
const COMPONENT_OF: ReadonlyMap<string, (params: Fields) => Component | null> = new Map([
  ['tools/call', (params: Fields) => component('tool', params.name)],
  ['prompts/get', (params: Fields) => component('prompt', params.name)],
  ['resources/read', (params: Fields) => component('resource', params.uri)],
  ['resources/subscribe', (params: Fields) => component('resource', params.uri)],
  ['resources/unsubscribe', (params: Fields) => component('resource', params.uri)],
  ['completion/complete', (params: Fields) => referenced(params.ref)]
])

/** Whether a method without a component belongs to the protocol. Every other one is to be denied (RS-31). */
export function isProtocolMethod (method: string): boolean {
  return PROTOCOL_METHODS.has(method)
}

/**
 * Reads what a parsed MCP message wants to do (RS-31): one operation, or one for each element of a batch of at most
 * 100 (revision 2025-03-26). `subscriptions/listen` is also one for each resource that it subscribes to, at most 1000;
 * a batch is 1100 at most. Names are answered exactly as sent. `id` is that of a single request, for the error to
 * refer to; `null` otherwise. Does *not* decide anything, and checks no more of a message than a decision needs.
 */
export function readOperations (body: unknown): McpMessage {
  if (!Array.isArray(body)) return readOne(body)
  if (body.length === 0) return refusal(-32600, 'empty batch')
  if (body.length > MAX_BATCH) return refusal(-32600, 'batch too long')
  const operations: Operation[] = []
  for (const element of body) {
    const message = Array.isArray(element) ? refusal(-32600, 'batch inside a batch') : readOne(element)
    if (message.malformed) return { ...message, id: null }
    operations.push(...message.operations)
    if (operations.length > MAX_OPERATIONS) return refusal(-32600, 'batch of too many operations')
  }
  return { malformed: false, operations, batch: true, id: null }
}

function readOne (message: unknown): McpMessage {
  if (message === undefined) return refusal(-32700, 'no message')
  if (!isFields(message) || message.jsonrpc !== '2.0') return refusal(-32600, 'not a JSON-RPC message')
  const id = readId(message.id)
  if (id === undefined) return refusal(-32600, 'id is neither string nor number')
  const { method } = message
  if (method === undefined && isResponse(message)) return read([operationOf(RESPONSE)], null)
  if (typeof method !== 'string' || method === RESPONSE) return refusal(-32600, 'not a method', id)
  return readMethod(method, message.params, id)
}

function readMethod (method: string, params: unknown, id: MessageId): McpMessage {
  const componentOf = COMPONENT_OF.get(method)
  if (componentOf !== undefined) {
    const found = isFields(params) ? componentOf(params) : null
    if (found === null) return refusal(-32602, 'names no component', id)
    return read([{ type: 'message', method, component: found }], id)
  }
  if (method === 'subscriptions/listen') return readSubscriptions(method, params, id)
  return read([operationOf(method)], id)
}

/** Revision 2026-07-28: `params.notifications.resourceSubscriptions` names resources. */
function readSubscriptions (method: string, params: unknown, id: MessageId): McpMessage {
  const filter = isFields(params) ? params.notifications : undefined
  const uris = isFields(filter) ? filter.resourceSubscriptions ?? [] : []
  if (!Array.isArray(uris) || uris.length > MAX_SUBSCRIPTIONS) return refusal(-32602, 'not a list of resources', id)
  const operations = [operationOf(method)]
  for (const uri of uris) {
    const resource = component('resource', uri)
    if (resource === null) return refusal(-32602, 'names no component', id)
    operations.push({ type: 'message', method, component: resource })
  }
  return read(operations, id)
}

/** A component by what a message calls it: 1 to 2048 characters, or it is none. */
export function component (kind: Component['kind'], name: unknown): Component | null {
  return typeof name === 'string' && name !== '' && name.length <= MAX_NAME ? { kind, name } : null
}

function referenced (ref: unknown): Component | null {
  if (!isFields(ref)) return null
  if (ref.type === 'ref/prompt') return component('prompt', ref.name)
  return ref.type === 'ref/resource' ? component('resource', ref.uri) : null
}

function operationOf (method: string): Operation {
  return OPERATIONS.get(method) ?? { type: 'message', method, component: null }
}

function isResponse (message: Fields): boolean {
  return Object.hasOwn(message, 'result') || Object.hasOwn(message, 'error')
}

/** `null` for a message without id; `undefined` for an id that is none. */
function readId (id: unknown): MessageId | undefined {
  if (id === undefined || id === null) return null
  return typeof id === 'string' || typeof id === 'number' ? id : undefined
}

function isFields (value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function read (operations: readonly Operation[], id: MessageId): McpMessage {
  return { malformed: false, operations, batch: false, id }
}

function refusal (code: MalformedCode, reason: string, id: MessageId = null): Refusal {
  return { malformed: true, code, reason, id }
}
