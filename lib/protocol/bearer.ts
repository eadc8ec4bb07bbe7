export type BearerCredentials =
  | { readonly type: 'token', readonly token: string }
  | { readonly type: 'none' }
  | { readonly type: 'malformed', readonly status: 400 | 401, readonly reason: string }

/** A longer token is not worth a digest, let alone a signature check (RS-13). */
const MAX_TOKEN = 8192
// RFC 6750 §2.1: credentials = "Bearer" 1*SP b64token
const B64TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/
const BEARER = /^bearer(?: |$)/i

const NONE: BearerCredentials = Object.freeze({ type: 'none' })
const REPEATED = malformed(400, 'more than one Authorization header')
const TOO_LONG = malformed(401, 'token too long')

/**
 * Reads the bearer token of a request (RFC 6750 §2.1, RS-11 to RS-13) from the header lines as they came, since Node
 * keeps the first of two `authorization` headers and says nothing: two are refused with 400, never picked from. A
 * header of another scheme is no credential of ours (RFC 6750 §3.1). Tokens in the query or the body are not looked at.
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
  if (!BEARER.test(value)) return NONE
  let start = 7
  while (value.charCodeAt(start) === 0x20) start++
  const token = value.slice(start)
  if (token.length > MAX_TOKEN) return TOO_LONG
  return { type: 'token', token }
}

function malformed (status: 400 | 401, reason: string): BearerCredentials {
  return Object.freeze({ type: 'malformed', status, reason })
}
