import type { Leniencies } from '../../types/options.js'

const LENIENT: Leniencies = Object.freeze({
  /** Clients of revision 2025-03-26 send no `resource` and mean the only one there is (AS-A7). Off: refused. */
  missingResource: true,
  /** Every MCP client listens on `http://localhost` at a port of the moment (AS-A3). Off: only loopback addresses do. */
  localhostAnyPort: true,
  /** Both SDKs post a code again after a failure (AS-T6). Off: every second use of a code revokes what it gave. */
  codeRepeat: true,
  /** Clients name the endpoint as RFC 7523 §3 says, or a URL parser puts a slash behind the issuer (EX-3). */
  assertionAudience: true,
  /** The SDK's client with a fixed assertion shows it again and again (EX-4). Off: `jti` is needed, and good once. */
  assertionReuse: true
})

const STRICT: Leniencies = Object.freeze({
  missingResource: false, localhostAnyPort: false, codeRepeat: false, assertionAudience: false, assertionReuse: false
})

/** Every leniency with its value: on unless switched off by name, all off when `strict`. */
export function resolveLeniencies (input: Partial<Leniencies> = {}, strict = false): Leniencies {
  if (strict) return STRICT
  const {
    missingResource = LENIENT.missingResource,
    localhostAnyPort = LENIENT.localhostAnyPort,
    codeRepeat = LENIENT.codeRepeat,
    assertionAudience = LENIENT.assertionAudience,
    assertionReuse = LENIENT.assertionReuse
  } = input
  return Object.freeze({ missingResource, localhostAnyPort, codeRepeat, assertionAudience, assertionReuse })
}
