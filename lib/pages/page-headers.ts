import { redirectFormAction } from '../protocol/redirect-uri.js'
import { styleHash } from './style.js'

// An origin or a scheme, and nothing that could be a wildcard, a keyword, or the end of the directive.
const SOURCE = /^[a-z][a-z0-9+.-]*:(?:\/\/[a-z0-9._-]+(?::\d+)?)?$/
const SCHEME = /^[a-z][a-z0-9+.-]*:$/

function formActionSource (target: string): string {
  if (SCHEME.test(target)) return target
  return URL.canParse(target) ? redirectFormAction(target) : ''
}

/**
 * The headers of a page (AS-A14): never framed, cached, indexed or sniffed, and nothing loads but its one stylesheet.
 *
 * `formActions` are where the answer of a form may redirect to besides ourselves: URIs, of which only origin or scheme
 * is used, or schemes. One that the policy cannot name is left out. Chromium holds `form-action` against every hop of
 * that redirect: where a client's callback goes on to another origin, that one (or `https:`) has to be given too.
 */
export function pageHeaders (formActions: readonly string[]): Record<string, string> {
  const sources = new Set(formActions.map(formActionSource).filter((source) => SOURCE.test(source)))
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': [
      "default-src 'none'",
      `style-src '${styleHash}'`,
      'img-src data:',
      "base-uri 'none'",
      "frame-ancestors 'none'",
      `form-action ${["'self'", ...sources].join(' ')}`
    ].join('; '),
    'x-frame-options': 'DENY',
    // Whatever the host app has set: a browser client waits in the window that opened this one.
    'cross-origin-opener-policy': 'unsafe-none',
    // Not `no-referrer`: it makes browsers send `Origin: null` with our own forms, which the server has to refuse.
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'x-robots-tag': 'noindex',
    'cache-control': 'no-store'
  }
}
