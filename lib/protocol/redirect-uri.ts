import { isLoopbackHost } from './issuer.js'
import { OAuthError } from './oauth-error.js'

const MAX_LENGTH = 2048
const VISIBLE_ASCII = /^[!#-;=?-[\]_a-z~]+$/
// URL parsers repair the slashes. A user before the host misleads people, so does the host `a.example&b=.c.example`.
const WEB = /^https?:\/\/(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:[/?]|$)/i
const PRIVATE_USE = /^[a-z][a-z0-9+.-]{1,63}$/
/** Schemes that run, read or leave to something other than an application that waits for a code. */
const NEVER = new Set(['javascript', 'data', 'file', 'vbscript', 'blob', 'about', 'filesystem', 'view-source',
  'http', 'https', 'ws', 'wss', 'ftp', 'mailto', 'tel', 'sms', 'intent', 'jar', 'chrome', 'resource', 'ms-msdt', 'search-ms'])
/** What we add to it ourselves, and a client must find once (AS-A10). */
const RESPONSE_PARAMETERS = ['code', 'state', 'iss', 'error', 'error_description', 'error_uri']
// RFC 8252 §7.3: scheme, host and the rest are compared, the port is the client's own choice of the moment.
const LOOPBACK = /^(http:\/\/(?:(localhost)|127(?:\.\d{1,3}){3}|\[::1\]))(?::\d{1,5})?((?:[/?].*)?)$/

/** Whether a scheme may stand in the operator's list of private-use redirect schemes (AS-A4): never a script scheme. */
export function isPrivateUseScheme (scheme: string): boolean {
  return PRIVATE_USE.test(scheme) && !NEVER.has(scheme)
}

/**
 * Checks a redirect URI that is to be registered (AS-A4): https; http on loopback; or one of the private-use `schemes`
 * that the operator listed, in lower case and without colon. Answers it unchanged. Never script schemes, users,
 * fragments, hosts that are no names or addresses, nor query parameters that belong to our answer.
 * @throws {OAuthError} `invalid_redirect_uri`
 */
export function readRedirectUri (uri: string, { schemes }: { schemes: readonly string[] }): string {
  if (uri.length > MAX_LENGTH) throw refusal('a redirect URI is too long')
  if (!VISIBLE_ASCII.test(uri) || !URL.canParse(uri)) throw refusal('a redirect URI is not an absolute URI')
  if (uri.includes('#')) throw refusal('a redirect URI must not have a fragment')
  const url = new URL(uri)
  if (isWeb(url.protocol)) assertWebUri(uri, url.protocol)
  else assertPrivateUse(url.protocol.slice(0, -1), schemes)
  if (url.username !== '' || url.password !== '') throw refusal('a redirect URI must not hold a user')
  if (RESPONSE_PARAMETERS.some((name) => url.searchParams.has(name))) {
    throw refusal('a redirect URI must not hold parameters of the authorization response')
  }
  return uri
}

/**
 * Whether a requested redirect URI is one of the registered ones (AS-A3): the same string, or the same http loopback
 * URI with another port (RFC 8252 §7.3). `localhostAnyPort` treats `localhost` like the loopback addresses; it never
 * equals one of them.
 */
export function matchRedirectUri (
  { registered, requested, localhostAnyPort }:
  { registered: readonly string[], requested: string, localhostAnyPort: boolean }
): boolean {
  if (registered.includes(requested)) return true
  const loopback = LOOPBACK.exec(requested)
  if (loopback === null || (loopback[2] !== undefined && !localhostAnyPort) || !URL.canParse(requested)) return false
  return registered.some((uri) => {
    const other = LOOPBACK.exec(uri)
    return other !== null && other[1] === loopback[1] && other[3] === loopback[3]
  })
}

/** Whether the code goes to whatever program listens on the user's own machine (AS-C1). */
export function isLoopbackRedirect (uri: string): boolean {
  const { protocol, hostname } = new URL(uri)
  return isWeb(protocol) && isLoopbackHost(hostname)
}

/** Where the code goes, for people to read: the host with its port, or the private-use scheme as `cursor:`. */
export function redirectHost (uri: string): string {
  const { protocol, host } = new URL(uri)
  return isWeb(protocol) ? host : protocol
}

/**
 * The CSP source that lets a form's answer redirect to this URI (AS-A14): its origin, or only its scheme where CSP has
 * no way to say more (private-use schemes, IPv6 addresses).
 */
export function redirectFormAction (uri: string): string {
  const { protocol, host, origin } = new URL(uri)
  return isWeb(protocol) && !host.startsWith('[') ? origin : protocol
}

/**
 * Adds our answer to a redirect URI (AS-A9). The registered query stays byte by byte; parameters that are `undefined`
 * are left out; a blank is written as `%20`, which every decoder reads alike.
 */
export function buildRedirect (uri: string, params: Readonly<Record<string, string | undefined>>): string {
  const answer = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined) answer.append(name, value)
  }
  return uri + joint(uri) + answer.toString().replaceAll('+', '%20')
}

function isWeb (protocol: string): boolean {
  return protocol === 'https:' || protocol === 'http:'
}

function joint (uri: string): string {
  if (!uri.includes('?')) return '?'
  return uri.endsWith('?') || uri.endsWith('&') ? '' : '&'
}

function assertWebUri (uri: string, protocol: string): void {
  if (!WEB.test(uri)) throw refusal('a redirect URI must name a plain host and no user')
  if (protocol === 'http:' && !LOOPBACK.test(uri)) throw refusal('an http redirect URI must be on loopback')
}

function assertPrivateUse (scheme: string, schemes: readonly string[]): void {
  if (!schemes.includes(scheme) || !isPrivateUseScheme(scheme)) {
    throw refusal('the scheme of a redirect URI is not allowed')
  }
}

function refusal (description: string): OAuthError {
  return new OAuthError({ code: 'invalid_redirect_uri', description })
}
