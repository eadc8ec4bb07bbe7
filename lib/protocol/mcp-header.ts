import { Buffer, isUtf8 } from 'node:buffer'

/** Header lines as Node has them: names in lower case with repeated lines joined, and the lines as they came. */
export interface SentHeaders {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly rawHeaders: readonly string[]
}

const PREFIX = '=?base64?'
const SUFFIX = '?='
// Whatever else stands in a value has to be encoded (TR-6): two layers would read its bytes as different characters.
const FIELD_VALUE = /^[\t\x20-\x7e]*$/

/**
 * Reads one of the headers that mirror the body, by its name in lower case, without the blanks around it. `undefined`
 * when it was not sent; `null` when it was sent twice, which Node joins with a comma and so hides, or holds a character
 * that no such value may have.
 */
export function readMcpHeader (sent: SentHeaders, name: string): string | null | undefined {
  const value = sent.headers[name]
  if (value === undefined) return undefined
  if (typeof value !== 'string' || !FIELD_VALUE.test(value)) return null
  if (value.includes(',') && isRepeated(sent.rawHeaders, name)) return null
  return value.trim()
}

function isRepeated (rawHeaders: readonly string[], name: string): boolean {
  let found = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === name) found++
  }
  return found > 1
}

/**
 * Decodes a value that may stand as `=?base64?...?=` for text that no header can carry; any other is answered as it
 * is. The markers are case-sensitive. `null` for what is marked and not the one Base64 of one UTF-8 text: several
 * spellings of one name would be several names to somebody.
 */
export function decodeHeaderValue (value: string): string | null {
  if (!value.startsWith(PREFIX) || !value.endsWith(SUFFIX)) return value
  // The two markers may share their question mark.
  if (value.length < PREFIX.length + SUFFIX.length) return null
  const encoded = value.slice(PREFIX.length, -SUFFIX.length)
  const bytes = Buffer.from(encoded, 'base64')
  return bytes.toString('base64') === encoded && isUtf8(bytes) ? bytes.toString('utf8') : null
}

/** Whether a header says what the body says, as text. Not sent, sent twice or not decodable: it does not. */
export function saysSame (sent: SentHeaders, name: string, text: string): boolean {
  const value = readMcpHeader(sent, name)
  return typeof value === 'string' && decodeHeaderValue(value) === text
}
