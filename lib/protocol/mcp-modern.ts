import {
  CAPABILITIES_KEY, fieldsOf, isAnswer, isNotification, isObject, metaOf, VERSION_KEY, type Fields
} from './mcp-envelope.js'
import {
  lacking, MODERN, MODERN_ANSWER, UNKNOWN_METHOD, unsupported, WRONG_INITIALIZE, WRONG_METHOD, WRONG_NAME,
  WRONG_VERSION, type WireVerdict
} from './mcp-fault.js'
import { readMcpHeader, saysSame, type SentHeaders } from './mcp-header.js'
import { isProtocolMethod } from './mcp-message.js'
import type { SpokenVersions } from './mcp-version.js'

/** Which member of `params` stands in `Mcp-Name` (TR-6). */
const NAMED_BY: ReadonlyMap<string, 'name' | 'uri' | 'taskId'> = new Map([
  ['tools/call', 'name'], ['prompts/get', 'name'], ['resources/read', 'uri'],
  ['tasks/get', 'taskId'], ['tasks/update', 'taskId'], ['tasks/cancel', 'taskId']
])

/** The requests of revision 2026-07-28 and of its tasks extension. Those of older revisions are gone in it. */
const REQUESTS = new Set([
  ...NAMED_BY.keys(), 'tools/list', 'prompts/list', 'resources/list', 'resources/templates/list',
  'completion/complete', 'server/discover', 'subscriptions/listen'
])

/** A message whose body says that it is of the modern era: its headers have to say the same. */
export function checkClaimed (sent: SentHeaders, message: Fields, spoken: SpokenVersions): WireVerdict {
  const { method } = message
  if (typeof method !== 'string') return methodless(message)
  const notification = isNotification(message, method)
  const { [VERSION_KEY]: version, [CAPABILITIES_KEY]: capabilities } = metaOf(message)
  if (typeof version !== 'string') return lacking([VERSION_KEY])
  if (!notification && !isObject(capabilities)) return lacking([CAPABILITIES_KEY])
  const sentVersion = readMcpHeader(sent, 'mcp-protocol-version')
  if (sentVersion !== undefined && sentVersion !== version) return WRONG_VERSION
  if (methodDiffers(sent, method)) return WRONG_METHOD
  if (!spoken.modern.includes(version)) return unsupported(version, spoken)
  if (notification) return known(isProtocolMethod(method))
  if (sentVersion === undefined) return WRONG_VERSION
  if (sent.headers['mcp-method'] === undefined) return WRONG_METHOD
  if (!isNamed(sent, method, fieldsOf(message.params))) return WRONG_NAME
  return known(REQUESTS.has(method))
}

/** A message with a modern version header whose body does not say so: that is enough for a notification only. */
export function checkUnclaimed (
  sent: SentHeaders & { readonly version: string }, message: Fields, spoken: SpokenVersions
): WireVerdict {
  const { method } = message
  if (method === 'initialize') return WRONG_INITIALIZE
  if (typeof method !== 'string') return methodless(message)
  if (!isNotification(message, method)) {
    return lacking(isObject(metaOf(message)[CAPABILITIES_KEY]) ? [VERSION_KEY] : [VERSION_KEY, CAPABILITIES_KEY])
  }
  if (methodDiffers(sent, method)) return WRONG_METHOD
  return spoken.modern.includes(sent.version) ? known(isProtocolMethod(method)) : unsupported(sent.version, spoken)
}

/** What is no message at all is refused as such by whoever reads it. */
const methodless = (message: Fields): WireVerdict => isAnswer(message) ? MODERN_ANSWER : MODERN

const known = (method: boolean): WireVerdict => method ? MODERN : UNKNOWN_METHOD

function methodDiffers (sent: SentHeaders, method: string): boolean {
  const value = readMcpHeader(sent, 'mcp-method')
  return value !== undefined && value !== method
}

/** A name that the body lacks cannot be mirrored: that is refused, or not, as what it is. */
function isNamed (sent: SentHeaders, method: string, params: Fields): boolean {
  const source = NAMED_BY.get(method)
  const name = source === undefined ? undefined : params[source]
  return typeof name !== 'string' || saysSame(sent, 'mcp-name', name)
}
