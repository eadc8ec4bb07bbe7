import type { Form } from './form.js'
import { assertServerUrl } from './issuer.js'
import { OAuthError } from './oauth-error.js'

const MAX_LENGTH = 2048
// Visible ASCII without what URL parsers repair: blanks, quotes, backslashes, brackets after the host, a fragment.
const RESOURCE = /^(https?):\/\/([A-Za-z0-9\-._~%:[\]]+)(\/[!$-;=@-Z_a-z~]*)?(\?[!$-;=?@-Z_a-z~]*)?$/i

/**
 * The canonical form of a resource identifier (RS-6, RFC 8707 §2): scheme and host in lower case, default port
 * dropped, `https://h/` written as `https://h`. Path and query stay byte by byte: there is no prefix matching.
 * Answers `null` for whatever is not an absolute http or https URL without user and fragment, or is longer than 2048
 * characters.
 */
export function canonicalResource (text: string): string | null {
  if (text.length > MAX_LENGTH) return null
  const match = RESOURCE.exec(text)
  if (match === null) return null
  const authority = `${match[1]}://${match[2]}`
  if (!URL.canParse(authority)) return null
  const path = match[3] ?? ''
  const query = match[4] ?? ''
  const { origin } = new URL(authority)
  return query === '' && path === '/' ? origin : `${origin}${path === '' && query !== '' ? '/' : path}${query}`
}

/** Whether both are resource identifiers and name the same resource. */
export function isSameResource (a: string, b: string): boolean {
  const canonical = canonicalResource(a)
  return canonical !== null && canonical === canonicalResource(b)
}

/**
 * Checks the identifier of the resource that this server protects (RS-9): https, or http on loopback; no user, query,
 * fragment or trailing slash; already canonical.
 * @throws {TypeError} whose message goes on from the option's path: `must ...`.
 */
export function assertResource (text: string): void {
  assertServerUrl(text)
}

/**
 * The `resource` parameters of an OAuth request (RFC 8707 §2), canonical, without repeats, in their order; none when
 * omitted.
 * @throws {OAuthError} `invalid_target`
 */
export function requestedResources (form: Form): readonly string[] {
  const named = (form.get('resource') ?? []).filter((value) => value !== '').map((value) => {
    const canonical = canonicalResource(value)
    if (canonical === null) throw refusal('resource must be an absolute URL without a fragment')
    return canonical
  })
  return [...new Set(named)]
}

/**
 * The one resource that a token request names, canonical; `undefined` when omitted. Naming it twice is harmless;
 * naming two is refused, since a token has one audience (AS-A7).
 * @throws {OAuthError} `invalid_target`
 */
export function requestedResource (form: Form): string | undefined {
  const [first, ...others] = requestedResources(form)
  if (others.length > 0) throw refusal('a token is for one resource only')
  return first
}

function refusal (description: string): OAuthError {
  return new OAuthError({ code: 'invalid_target', description })
}
