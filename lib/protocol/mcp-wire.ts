import { claimsRevision, fieldsOf, metaOf } from './mcp-envelope.js'
import {
  LEGACY, LEGACY_BATCH, MODERN_BATCH, NOT_POST, UNKNOWN_VERSION, unsupported, type WireVerdict
} from './mcp-fault.js'
import { readMcpHeader, type SentHeaders } from './mcp-header.js'
import { checkClaimed, checkUnclaimed } from './mcp-modern.js'
import { isModern, type SpokenVersions } from './mcp-version.js'

/** One request at the MCP endpoint. */
export interface WireRequest extends SentHeaders {
  /** The HTTP method. */
  readonly method: string
  /** Parsed; `undefined` when there is none. */
  readonly body: unknown
}

const VERSION = 'mcp-protocol-version'

/**
 * Holds the headers of a request against its body, as its revision wants them (TR-4 to TR-6, TR-9). The era is that of
 * the body: modern with a version in `params._meta`, legacy without; a modern version header on a body without one is
 * a fault, never another era. No fault says only that the two agree: what the message wants is still to be decided,
 * from the body. Does *not* look at `Mcp-Param-*`, which depend on the tool, and leaves a body that is no message to
 * whoever reads messages. Codes and statuses are those of the SDK's own server.
 */
export function checkWire (request: WireRequest, spoken: SpokenVersions): WireVerdict {
  const { body, method, headers, rawHeaders } = request
  if (Array.isArray(body)) return checkBatch(request, body, spoken)
  const message = fieldsOf(body)
  if (claimsRevision(metaOf(message))) return method === 'POST' ? checkClaimed(request, message, spoken) : NOT_POST
  const { [VERSION]: sent } = headers
  if (sent === undefined) return spoken.legacy.length > 0 ? LEGACY : noLegacy(method, spoken)
  // Nearly always: what is spoken here cannot be sent twice or with something around it.
  if (typeof sent === 'string' && spoken.isLegacy(sent)) return LEGACY
  const version = readMcpHeader(request, VERSION)
  if (typeof version !== 'string') return UNKNOWN_VERSION
  if (spoken.isLegacy(version)) return LEGACY
  if (!isModern(version)) return isNegotiating(message, spoken) ? LEGACY : UNKNOWN_VERSION
  return method === 'POST' ? checkUnclaimed({ headers, rawHeaders, version }, message, spoken) : NOT_POST
}

function checkBatch (sent: SentHeaders, batch: readonly unknown[], spoken: SpokenVersions): WireVerdict {
  if (batch.some((element) => claimsRevision(metaOf(fieldsOf(element))))) return MODERN_BATCH
  const version = readMcpHeader(sent, VERSION)
  if (version === null) return UNKNOWN_VERSION
  if (spoken.allowsBatch(version)) return LEGACY
  if (version === undefined || spoken.isLegacy(version)) return LEGACY_BATCH
  return isModern(version) ? MODERN_BATCH : UNKNOWN_VERSION
}

/** The version is negotiated in the body of `initialize`: its header means nothing yet. */
const isNegotiating = ({ method }: { readonly method?: unknown }, spoken: SpokenVersions): boolean =>
  method === 'initialize' && spoken.legacy.length > 0

const noLegacy = (method: string, spoken: SpokenVersions): WireVerdict =>
  method === 'POST' ? unsupported(undefined, spoken) : NOT_POST
