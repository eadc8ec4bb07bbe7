import type { Fields } from './mcp-envelope.js'
import type { SpokenVersions } from './mcp-version.js'

/** What is wrong with the headers of a message, or with its place in a revision. */
export interface WireFault {
  readonly status: 400 | 404 | 405
  /** JSON-RPC's `error.code`: the header codes of revision 2026-07-28, or what the SDK's server uses. */
  readonly code: -32000 | -32020 | -32022 | -32600 | -32601 | -32602
  /** A stable phrase of our own. */
  readonly reason: string
  /** JSON-RPC's `error.data`. */
  readonly data?: Fields
}

/** The era of a request, and what is wrong with it in that era. */
export interface WireVerdict {
  readonly modern: boolean
  readonly fault: WireFault | null
}

const legacyFault = (fault: WireFault): WireVerdict => Object.freeze({ modern: false, fault })
const modernFault = (fault: WireFault): WireVerdict => Object.freeze({ modern: true, fault })
const mismatch = (reason: string): WireVerdict => modernFault({ status: 400, code: -32020, reason })

export const LEGACY: WireVerdict = Object.freeze({ modern: false, fault: null })
export const MODERN: WireVerdict = Object.freeze({ modern: true, fault: null })

export const WRONG_VERSION = mismatch('version header and body disagree')
export const WRONG_METHOD = mismatch('method header and body disagree')
export const WRONG_NAME = mismatch('name header and body disagree')
export const WRONG_INITIALIZE = mismatch('initialize with a modern version header')
export const NOT_POST = modernFault({ status: 405, code: -32000, reason: 'HTTP method of an older revision' })
export const MODERN_BATCH = modernFault({ status: 400, code: -32600, reason: 'batch in a revision without batches' })
export const MODERN_ANSWER = modernFault({ status: 400, code: -32600, reason: 'answer in a revision without answers' })
export const UNKNOWN_METHOD = modernFault({ status: 404, code: -32601, reason: 'unknown method' })
export const LEGACY_BATCH = legacyFault({ status: 400, code: -32600, reason: 'batch in a revision without batches' })
export const UNKNOWN_VERSION = legacyFault({ status: 400, code: -32000, reason: 'unknown version header' })

const MAX_ECHO = 64

/** The data names what is missing or not of its type, and nothing that was sent. */
export function lacking (missing: readonly string[]): WireVerdict {
  return modernFault({ status: 400, code: -32602, reason: 'incomplete _meta', data: { envelope: { missing } } })
}

/** The version that was asked for goes back, as the revision demands, when it is short enough to be one. */
export function unsupported (requested: string | undefined, spoken: SpokenVersions): WireVerdict {
  const supported = spoken.modern.length > 0 ? spoken.modern : spoken.legacy
  const echo = requested !== undefined && requested.length <= MAX_ECHO ? { requested } : {}
  return modernFault({ status: 400, code: -32022, reason: 'unsupported version', data: { supported, ...echo } })
}
