const ORIGIN = /^([a-z][a-z0-9+.-]*):\/\/([a-z0-9\-._[\]:]+)$/i
const HOST = /^(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i
const DEFAULT_PORT = /:(?:80|443)$/
const TRAILING_DOT = /\.(?=:\d|$)/
const MAX_LENGTH = 300

/**
 * An `Origin` header, or an entry of the list that it is compared with, as `scheme://host[:port]` in lower case
 * without a default port (RFC 6454 §6.2, TR-1). Answers `null` for everything else: `null`, a path or only a slash,
 * users, blanks, several origins. Schemes of browser extensions are origins too.
 */
export function parseOrigin (text: string): string | null {
  const match = text.length > MAX_LENGTH ? null : ORIGIN.exec(text)
  if (match === null || !URL.canParse(text)) return null
  const { protocol, origin, host } = new URL(text)
  if (host === '') return null
  return origin === 'null' ? `${protocol}//${host.toLowerCase()}` : origin
}

/**
 * A `Host` header, or an entry of the list that it is compared with, as `host[:port]` in lower case (TR-2): a trailing
 * dot and the ports 80 and 443 dropped, addresses in their usual notation. Answers `null` for everything else: empty,
 * users, blanks, several hosts, ports that are none.
 */
export function parseHost (text: string): string | null {
  if (text.length > MAX_LENGTH || !HOST.test(text)) return null
  const url = `http://${text.replace(TRAILING_DOT, '')}`
  if (!URL.canParse(url)) return null
  return new URL(url).host.replace(DEFAULT_PORT, '')
}
