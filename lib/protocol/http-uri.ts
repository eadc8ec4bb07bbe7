const MAX_LENGTH = 2048
// Visible ASCII without what URL parsers repair: blanks, quotes, backslashes, users, brackets after the host, and
// escapes in the host.
const HTTP_URI = /^https?:\/\/[A-Za-z0-9\-._~:[\]]+(?:\/[!$-;=@-Z_a-z~]*)?(?:\?[!-~]*)?(?:#[!-~]*)?$/i
const ESCAPE = /%([0-9a-f]{2})/gi
const UNRESERVED = /[A-Za-z0-9\-._~]/

/**
 * An http or https URI without its query and fragment, in the form in which equal ones are the same text: scheme and
 * host in lower case, no default port, a path of at least a slash, no dot segments, and percent-encoding only where it
 * is needed, in upper case (RFC 3986 §6.2.2, §6.2.3). A slash at the end and empty segments mean something and stay.
 * Answers `null` for whatever else there is, users and non-ASCII included, or is longer than 2048 characters.
 */
export function normalHttpUri (text: string): string | null {
  if (text.length > MAX_LENGTH || !HTTP_URI.test(text) || !URL.canParse(text)) return null
  const { origin, pathname } = new URL(text)
  return origin + pathname.replace(ESCAPE, plain)
}

function plain (escape: string, hex: string): string {
  const character = String.fromCharCode(Number.parseInt(hex, 16))
  return UNRESERVED.test(character) ? character : escape.toUpperCase()
}
