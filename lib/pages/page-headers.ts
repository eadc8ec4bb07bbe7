import { styleHash } from './style.js'

// CSP has no way to name an IPv6 address, and a host with other characters could end the directive.
const HOST = /^[a-z0-9._-]+(?::\d+)?$/
const SCHEME = /^[a-z][a-z0-9+.-]*:$/

function formActionSource (uri: string): string | null {
  if (!URL.canParse(uri)) return null
  const { protocol, host, hostname } = new URL(uri)
  if (protocol !== 'http:' && protocol !== 'https:') return SCHEME.test(protocol) ? protocol : null
  if (hostname === '[::1]') return protocol
  return HOST.test(host) ? `${protocol}//${host}` : null
}

/**
 * The headers of a page (AS-A14): never framed, cached, indexed or sniffed, and nothing loads but its one stylesheet.
 *
 * `formActions` are URIs to which the answer of a form may redirect, such as a client's redirect URI: Chromium holds
 * `form-action` against the redirect too. Only origin or scheme of each is used; one that cannot be named is left out.
 */
export function pageHeaders (formActions: readonly string[]): Record<string, string> {
  const sources = formActions.map(formActionSource).filter((source) => source !== null)
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': [
      "default-src 'none'",
      `style-src '${styleHash}'`,
      'img-src data:',
      "base-uri 'none'",
      "frame-ancestors 'none'",
      `form-action ${["'self'", ...new Set(sources)].join(' ')}`
    ].join('; '),
    'x-frame-options': 'DENY',
    // Not `no-referrer`: it makes browsers send `Origin: null` with our own forms, which the server has to refuse.
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'x-robots-tag': 'noindex',
    'cache-control': 'no-store'
  }
}
