export type BearerCredentials =
  | { readonly type: 'token', readonly token: string, readonly scheme: 'bearer' | 'dpop' }
  | { readonly type: 'none' }
  | { readonly type: 'malformed', readonly status: 400 | 401, readonly reason: string }

/** A longer token is not worth a digest, let alone a signature check (RS-13). */
const MAX_TOKEN = 8192
// RFC 6750 §2.1: credentials = "Bearer" 1*SP b64token
const B64TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/
const BEARER = /^bearer(?: |$)/i
// RFC 9449 §7.1: credentials = "DPoP" 1*SP token68
const DPOP = /^dpop(?: |$)/i

const NONE: BearerCredentials = Object.freeze({ type: 'none' })
const REPEATED = malformed(400, 'more than one Authorization header')
const TOO_LONG = malformed(401, 'token too long')

/**
 * Reads the token of a request, shown as a bearer token (RFC 6750 §2.1, RS-11 to RS-13) or with a DPoP proof (RFC 9449
 * §7.1), from the header lines as they came, since Node keeps the first of two `authorization` headers and says
 * nothing: two are refused with 400, never picked from. A header of another scheme is no credential of ours (RFC 6750
 * §3.1). Tokens in the query or the body are not looked at.
 *
 * `token` is whatever stands behind the scheme, at most 8192 characters: unless it is known already, ask `isB64Token`.
 */
export function readBearer (rawHeaders: readonly string[]): BearerCredentials {
  let value: string | undefined
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (!isAuthorization(rawHeaders[index])) continue
    if (value !== undefined) return REPEATED
    value = rawHeaders[index + 1]
  }
  return value === undefined ? NONE : readCredentials(value)
}

/** Whether this is one token by its grammar (RFC 6750 §2.1). To be asked before any work is done for an unknown one. */
export function isB64Token (text: string): boolean {
  return B64TOKEN.test(text)
}

function isAuthorization (name: string | undefined): boolean {
  if (name?.length !== 13) return false
  return name === 'authorization' || name === 'Authorization' || name.toLowerCase() === 'authorization'
}

function readCredentials (value: string): BearerCredentials {
  if (BEARER.test(value)) return readToken(value, 'bearer')
  return DPOP.test(value) ? readToken(value, 'dpop') : NONE
}

function readToken (value: string, scheme: 'bearer' | 'dpop'): BearerCredentials {
  let start = scheme.length + 1
  while (value.charCodeAt(start) === 0x20) start++
  const token = value.slice(start)
  return token.length > MAX_TOKEN ? TOO_LONG : { type: 'token', token, scheme }
}

function malformed (status: 400 | 401, reason: string): BearerCredentials {
  return Object.freeze({ type: 'malformed', status, reason })
}
