/** Members of a JSON object whose shape nobody has checked. */
export type Fields = Readonly<Record<string, unknown>>

/** In `params._meta` of every modern request (TR-5). Its presence is what makes a message a modern one (TR-9). */
export const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion'
/** The other member of `params._meta` that every modern request has. */
export const CAPABILITIES_KEY = 'io.modelcontextprotocol/clientCapabilities'

const NOTHING: Fields = Object.freeze({})

export function isObject (value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The members of an object; none of anything else. */
export function fieldsOf (value: unknown): Fields {
  return isObject(value) ? value : NOTHING
}

/** `params._meta` of a message; empty when it has none. */
export function metaOf (message: Fields): Fields {
  return fieldsOf(fieldsOf(message.params)._meta)
}

/** Whether a message names its revision, rightly or not. */
export function claimsRevision (meta: Fields): boolean {
  return Object.hasOwn(meta, VERSION_KEY)
}

/** Without an id and named like one: a call without an id is held to what calls are held to. */
export function isNotification (message: Fields, method: string): boolean {
  return (message.id === undefined || message.id === null) && method.startsWith('notifications/')
}

/** The client's answer to a request of the server. */
export function isAnswer (message: Fields): boolean {
  return Object.hasOwn(message, 'result') || Object.hasOwn(message, 'error')
}
