/** Relative distinguished names, the innermost first, each as one text that only the same name has. */
export type DistinguishedName = readonly string[]

// RFC 4514 §3: types are names or numbers.
const TYPE = /^ *([a-z][a-z0-9-]*|\d+(?:\.\d+)*)$/i
// Neither a blank at either end nor a `#` at the beginning, unless escaped.
const VALUE = /^(?![ #])(?:\\[0-9a-f]{2}|\\[ "#+,;<=>\\]|[^\\"<>;\0])+$/iu
const PIECE = /\\([0-9a-f]{2})|\\?([^])/giu

/**
 * Reads a distinguished name in the text form of RFC 4514 §3, as `CN=client,O=Example,C=GB`; `null` for what is none,
 * and for values in hexadecimal, which say nothing without their type. Names of types lose their case, values keep it.
 */
export function readDistinguishedName (text: string): DistinguishedName | null {
  return readNames(split(text, ',').map((part) => split(part, '+')))
}

/** The same for the `subject` of an `X509Certificate`: a line for each part, the outermost first. */
export function readSubject (lines: string): DistinguishedName | null {
  // OpenSSL escapes what stands at the ends of a value, so that these blanks are its own.
  const parts = split(lines, '\n').map((line) => split(line, '+').map((pair, index, { length }) =>
    pair.slice(index === 0 ? 0 : 1, index === length - 1 ? undefined : -1)))
  return readNames(parts.reverse())
}

/** Whether both are the same names in the same order. */
export function isSameName (a: DistinguishedName, b: DistinguishedName): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index])
}

function readNames (parts: readonly string[][]): DistinguishedName | null {
  const names = parts.map((pairs) => pairs.map(readPair))
  return names.flat().includes(null) ? null : names.map((pairs) => pairs.sort().join())
}

/** At the separators that are not escaped. */
function split (text: string, separator: string): string[] {
  const parts: string[] = []
  let start = 0
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1
    else if (text[at] === separator) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  return [...parts, text.slice(start)]
}

function readPair (text: string): string | null {
  const equals = text.indexOf('=')
  const [, type] = TYPE.exec(text.slice(0, Math.max(equals, 0))) ?? []
  const value = unescape(text.slice(equals + 1))
  return type === undefined || value === null ? null : JSON.stringify([type.toLowerCase(), value])
}

/** Escapes stand for characters, or for bytes of UTF-8. */
function unescape (value: string): string | null {
  if (!VALUE.test(value) || /(?<!\\) $/.test(value)) return null
  const bytes = [...value.matchAll(PIECE)].map(([, hex, one = '']) => hex === undefined ? Buffer.from(one) : Buffer.from(hex, 'hex'))
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(bytes))
  } catch {
    return null
  }
}
