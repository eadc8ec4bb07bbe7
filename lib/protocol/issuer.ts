const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/i
// Segments that mean the same to every router and every URL parser.
const PATH = /^(?:\/[A-Za-z0-9\-._~]+)*$/

/** Whether a URL's hostname is this machine: `localhost`, `127.0.0.0/8`, or `::1` with or without brackets. */
export function isLoopbackHost (hostname: string): boolean {
  return LOOPBACK.test(hostname)
}

/**
 * Checks the identifier of an authorization server (RFC 8414 §2, AS-M1): https, or http on loopback; no user, query,
 * fragment or trailing slash; written exactly as a URL parser writes it, since clients compare it byte by byte.
 * @throws {TypeError} whose message goes on from the option's path: `must ...`.
 */
export function assertIssuer (text: string): void {
  assertServerUrl(text)
}

/**
 * What the issuer and the resource have in common, said once.
 * @throws {TypeError} whose message goes on from the option's path: `must ...`.
 */
export function assertServerUrl (text: string): URL {
  const url = parse(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new TypeError('must be an https URL')
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname)) throw new TypeError('must be https outside of loopback')
  if (url.username !== '' || url.password !== '') throw new TypeError('must not hold a user')
  if (text.includes('?') || text.includes('#')) throw new TypeError('must have neither query nor fragment')
  if (text.endsWith('/')) throw new TypeError('must not end with a slash')
  const path = url.pathname === '/' ? '' : url.pathname
  if (!PATH.test(path)) throw new TypeError('must have a path of letters, digits and - . _ ~ only')
  if (text !== url.origin + path) throw new TypeError(`must be written as ${url.origin}${path}`)
  return url
}

function parse (text: string): URL {
  if (!URL.canParse(text)) throw new TypeError('must be an absolute URL')
  return new URL(text)
}
