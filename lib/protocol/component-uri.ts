/** A URI in all its readings. */
export interface UriReadings {
  /** As it came. */
  readonly written: string
  /** What a careless handler may take it for: decoded, its authority in lower case, with and without its last slash. */
  readonly decoded: readonly string[]
  /** The same without its query and fragment; nothing where it has none. */
  readonly bare: readonly string[]
}

// RFC 3986 §2: reserved and unreserved characters, and whole percent-encoded octets with upper-case digits.
const WRITTEN = /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-F]{2})*$/
// RFC 3986 §6.2.2.2: an unreserved character is not written percent-encoded. Control characters have no use in a name.
const NEEDLESS = /%(?:[01][0-9A-F]|2[DE]|3[0-9]|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AEF])/
// What a URL parser or a file system takes for a step up or for none, whichever slash it believes in.
const DOT_SEGMENT = /[:/\\]\.\.?(?:[/\\?#]|$)/
const SCHEME = /^[a-z][a-z0-9+.-]*:/
const AUTHORITY = /^[^:/?#]*:\/\/[^/?#]*/
const QUERY_OR_FRAGMENT = /[?#]/
const SLASHES = /[/\\]+/g
// Only from where a run of slashes begins: from each of them, a long run would take the square of its length.
const LAST_SLASHES = /(?<!\/|%2F|%5C)(?:\/|%2F|%5C)+$/i

/** The authority in lower case, as hosts are the same in every case (RFC 3986 §6.2.2.1). Also of a template. */
export function foldAuthority (text: string): string {
  return text.replace(AUTHORITY, (authority) => authority.toLowerCase())
}

/** The percent-encoding undone, and slashes as file systems count them: either kind, and several as one. */
export function decodeLoosely (text: string): string {
  return decodeURIComponent(text).replace(SLASHES, '/')
}

/** With the authority in lower case: as it is, and without the slashes at its end, if any. Also of a template. */
export function looseSpellings (text: string): readonly string[] {
  const folded = foldAuthority(text)
  return LAST_SLASHES.test(folded) ? [folded, folded.replace(LAST_SLASHES, '')] : [folded]
}

/** Slashes at the end are one by then: no text of nothing but slashes takes long. */
function readLoosely (text: string): readonly string[] {
  const loose = decodeLoosely(foldAuthority(text))
  return loose.endsWith('/') ? [loose, loose.slice(0, -1)] : [loose]
}

/** The percent-encoding undone; `null` when it is no UTF-8. */
function decoded (text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}

/** Whether a text begins with a scheme and is written as RFC 3986 §6.2.2 wants it, whatever its parts mean. */
export function isNormalText (text: string): boolean {
  if (!SCHEME.test(text) || !WRITTEN.test(text) || NEEDLESS.test(text)) return false
  const plain = decoded(text)
  return plain !== null && !DOT_SEGMENT.test(plain)
}

/**
 * Reads a URI that names a resource. `null` unless it is absolute and in normal form (RFC 3986 §6.2.2): scheme in lower
 * case, nothing percent-encoded that need not be, no dot segments, encoded ones included, and nothing that the URL
 * parser of the platform would repair. So no two spellings of one resource ever meet different rules by accident.
 */
export function readUri (text: string): UriReadings | null {
  if (!isNormalText(text) || !URL.canParse(text) || new URL(text).href !== text) return null
  const end = text.search(QUERY_OR_FRAGMENT)
  return { written: text, decoded: readLoosely(text), bare: end === -1 ? [] : readLoosely(text.slice(0, end)) }
}
