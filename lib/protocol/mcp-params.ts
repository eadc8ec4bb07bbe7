import { decodeHeaderValue, readMcpHeader, type SentHeaders } from './mcp-header.js'

// What a number may be written as: 42 and 42.0 are the same one.
const DECIMAL = /^-?\d{1,20}(?:\.\d{1,20})?$/

// RFC 9110 §5.1: a field name is a token.
const SUFFIX = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}$/

/** Whether this may stand behind `Mcp-Param-` in the name of a header. */
export function isHeaderSuffix (text: string): boolean {
  return SUFFIX.test(text)
}

/** `undefined` for what no header can carry: clients leave the header out then. */
function textOf (value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  if (typeof value !== 'number') return undefined
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? undefined : String(value)
}

function agrees (sent: SentHeaders, name: string, argument: unknown): boolean {
  if (argument === undefined || argument === null) return true
  const value = readMcpHeader(sent, name)
  const text = textOf(argument)
  if (text === undefined) return value === undefined
  if (typeof value !== 'string') return false
  const decoded = decodeHeaderValue(value)
  if (typeof argument === 'number' && decoded !== null && DECIMAL.test(decoded)) return Number(decoded) === argument
  return decoded === text
}

/**
 * Whether the `Mcp-Param-*` headers of a request say what its arguments say (TR-7), for the ones that `mirrored` names:
 * header suffix to argument. An argument that is there needs its header, numbers compared as numbers; one that is
 * absent or `null` needs none, and a header that nothing is mirrored in is not looked at. A value that no header can
 * carry, such as an object, must come without one.
 */
export function paramsAgree (
  sent: SentHeaders, mirrored: Readonly<Record<string, string>>, args: unknown
): boolean {
  const own = new Map(typeof args === 'object' && args !== null ? Object.entries(args) : [])
  return Object.entries(mirrored).every(([suffix, argument]) =>
    agrees(sent, `mcp-param-${suffix.toLowerCase()}`, own.get(argument)))
}
