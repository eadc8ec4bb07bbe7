import type { FastifyRequest } from 'fastify'

/**
 * Whether a form came from a page of our own (AS-C2), as far as the browser tells. `issuerOrigin` is configured,
 * never read from the request. Goes with a CSRF token, does not replace one: a caller that is no browser and sends
 * neither header passes.
 *
 * `Sec-Fetch-Site` decides where there is one: under `Referrer-Policy: no-referrer` a browser sends `Origin: null`
 * for its own pages too. A page of another origin cannot set either header.
 */
export function isSameOrigin (request: FastifyRequest, issuerOrigin: string): boolean {
  const { origin } = request.headers
  const site = request.headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin') return false
  if (origin === undefined || origin === issuerOrigin) return true
  return origin === 'null' && site === 'same-origin'
}
