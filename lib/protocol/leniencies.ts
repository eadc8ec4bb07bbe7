import type { Leniencies, LeniencyName } from '../../types/options.js'

/** Every deviation for real clients, and nothing else is one. What each lets pass stands with its type. */
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
  assertionReuse: true,
  /** Clients with several windows, or that lost an answer, refresh twice (AS-T9). Off: the second time ends it all. */
  refreshRepeat: true,
  /** SDKs up to 1.14 send a secret in the body, later ones by Basic, and name neither (RFC 7591 §2). Off: Basic. */
  eitherSecretMethod: true,
  /** MCP clients on the user's machine leave `application_type` out, which means `web` (AS-R3). Off: refused. */
  loopbackWebClient: true
})

/** Of every leniency, in the order in which they are documented. */
export const LENIENCY_NAMES = Object.freeze(Object.keys(LENIENT)) as readonly LeniencyName[]

/** Every leniency with its value: on unless switched off by name, all off when `strict`. */
export function resolveLeniencies (input: Partial<Leniencies> = {}, strict = false): Leniencies {
  const resolved = { ...LENIENT }
  for (const name of LENIENCY_NAMES) resolved[name] = !strict && (input[name] ?? LENIENT[name])
  return Object.freeze(resolved)
}
