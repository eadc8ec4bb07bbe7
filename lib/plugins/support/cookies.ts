import type { FastifyReply, FastifyRequest } from 'fastify'

// @fastify/cookie works only where it is registered, and a host that registers it too must not find it there already.

/** A cookie that only this origin can set (RFC 6265bis §4.1.3.2) and no script can read. */
const ATTRIBUTES = 'Path=/; HttpOnly; Secure; SameSite=Lax'

// Blanks of HTTP only: `trim` would also take a no-break space off, and so let a cookie that some neighbouring host
// has set under `\u00A0__Host-...` pass for one that only we can set.
const SEPARATOR = /;[ \t]*/

/**
 * Answers `undefined` for an absent or empty cookie, and for one that is there twice: a browser holds one of each
 * `__Host-` name, so another one was slipped in. The value is as it was sent: ours need no decoding.
 */
export function readCookie (request: FastifyRequest, name: string): string | undefined {
  const pairs = request.headers.cookie?.split(SEPARATOR) ?? []
  const [pair = '', ...others] = pairs.filter((text) => text.startsWith(`${name}=`))
  const [, value] = pair.split('=', 2)
  return others.length > 0 || value === '' ? undefined : value
}

/**
 * `name` starts with `__Host-` (AS-C6), `value` is base64url. The cookie lives as long as the browser, or `maxAge`
 * seconds.
 */
export function setCookie (reply: FastifyReply, input: { name: string, value: string, maxAge?: number }): void {
  const { name, value, maxAge } = input
  const end = maxAge === undefined ? '' : `Max-Age=${maxAge}; `
  reply.header('set-cookie', `${name}=${value}; ${end}${ATTRIBUTES}`)
}

export function clearCookie (reply: FastifyReply, name: string): void {
  setCookie(reply, { name, value: '', maxAge: 0 })
}
