import type { ComponentRule, ScopeCatalogue } from './access.js'
import type { AuditOptions } from './audit.js'
import type { Clock } from './clock.js'
import type { SigningAlgorithm } from './crypto.js'
import type { Lifetimes, StaticClient } from './oauth.js'
import type { TokenVerifier } from './principal.js'
import type { SignIn } from './sign-in.js'
import type { RecordStore } from './stores.js'

/** Where records live and what protects them. Decorates `fastify.pkceStore`. */
export interface PkceStoreOptions {
  /** Default: a memory store, which forgets everything at the end of the process. */
  readonly store?: RecordStore
  /**
   * At least 32 characters each. The first seals, all open. May be left out only together with `store`:
   * a random one is then made at boot.
   */
  readonly secrets?: readonly string[]
  /** Default `default`. 1 to 64 characters of `A-Z a-z 0-9 - _`. */
  readonly tenant?: string
  readonly signingAlgorithm?: SigningAlgorithm
  readonly lifetimes?: Partial<Lifetimes>
  /** Clients that the operator configured. */
  readonly clients?: readonly StaticClient[]
  /**
   * Self-registered clients that nobody has authorized yet, kept at the same time; half as many may register within
   * `lifetimes.unusedClient`. Those that a user authorized do not count. At least 2, default 10 000.
   */
  readonly maxClients?: number
  /** Seconds between two rounds of forgetting what has expired. Default 60, 0 switches it off. */
  readonly pruneInterval?: number
  readonly clock?: Clock
}

/** Deviations for real clients, each by name. */
export interface Leniencies {
  /** A request without `resource` means the one configured resource (revision 2025-03-26). */
  readonly missingResource: boolean
  /** `http://localhost` redirect URIs match with any port, as RFC 8252 §7.3 says for loopback addresses. */
  readonly localhostAnyPort: boolean
  /** A valid repeat of a code within 5 seconds is refused without revoking what the first exchange issued. */
  readonly codeRepeat: boolean
}

export interface OAuthRoutesOptions {
  /** https (http only on loopback), no query, no fragment, no trailing slash. Compared byte by byte by clients. */
  readonly issuer: string
  /** The MCP endpoint's URL. The audience of every token. */
  readonly resource: string
  readonly resourceName?: string
  readonly scopes: ScopeCatalogue
  /** What a client gets that asks for none, and what the first challenge names. Default: see README. */
  readonly defaultScopes?: readonly string[]
  /** Shown on the consent page under the scopes that open them. */
  readonly components?: readonly ComponentRule[]
  /** Who the user is. Needed unless the built-in accounts are registered. */
  readonly signIn?: SignIn
  /** `false`: clients cannot register themselves and the endpoint is not advertised. Default `true`. */
  readonly registration?: boolean
  /** Private-use redirect schemes, such as `cursor`, that may be registered. Default none (AS-A4). */
  readonly redirectSchemes?: readonly string[]
  readonly leniencies?: Partial<Leniencies>
  /** Switches every leniency off, whatever `leniencies` says. Default `false`. */
  readonly strict?: boolean
}

export interface ScopeGuardOptions {
  /** Needed without `verifier`; a verifier knows its issuers by itself. */
  readonly issuer?: string
  readonly resource: string
  readonly scopes: ScopeCatalogue
  readonly defaultScopes?: readonly string[]
  readonly components?: readonly ComponentRule[]
  /** Default: verifies the tokens that `oauthRoutes` issues, by `fastify.pkceStore`. */
  readonly verifier?: TokenVerifier
  /** Where the MCP endpoint is mounted in the app, when not at the path of `resource`. */
  readonly mcpPath?: string
  /** Verified tokens remembered at the same time. Default 10 000; 0 remembers none. Not beside `verifier`. */
  readonly rememberedTokens?: number
  /** Seconds after which a remembered token's grant is looked up again. 0 to 60. Default 5. Not beside `verifier`. */
  readonly recheck?: number
  readonly clock?: Clock
}

export interface SecurityHeadersOptions {
  /** Seconds; 0 leaves the header out. Default one year when the issuer is https. */
  readonly hstsMaxAge?: number
}

export interface OriginGuardOptions {
  /** Browser origins that may call the MCP endpoint besides the server's own, as `scheme://host[:port]`. */
  readonly origins?: readonly string[]
  /**
   * Values of `Host` that are ours besides those of the issuer and the resource, as `host[:port]`. When one of these
   * two is on loopback, so are all loopback names, at any port.
   */
  readonly hosts?: readonly string[]
}

/** The origin guard registered by itself. */
export interface OriginGuardSetup extends OriginGuardOptions {
  readonly issuer: string
  readonly resource: string
}

export interface CorsOptions {
  /** Browser origins that may read answers. Default: those of the origin guard, which refuses all others anyway. */
  readonly origins?: readonly string[]
}

export interface RateLimit {
  /** Requests in a window. */
  readonly max: number
  /** Seconds. */
  readonly window: number
}

export interface RateLimitsOptions {
  /** Every request, by address. Default 6000 in 60 s: many people may share one. */
  readonly general?: RateLimit
  /** Token, revocation, sign-in and consent, by address. Default 1200 in 60 s. */
  readonly sensitive?: RateLimit
  /** Registration, by address. Default 120 in 3600 s. */
  readonly registration?: RateLimit
}

/** The rate limits registered by themselves; the umbrella hands on its own clock. */
export interface RateLimitsSetup extends RateLimitsOptions {
  readonly clock?: Clock
}

export interface AccountsOptions {
  /** Failed sign-ins for one account and network before it has to wait. Default 5 in 900 s. */
  readonly attempts?: RateLimit
  /** Seconds without use after which a session ends. Default 8 hours. */
  readonly sessionIdle?: number
  /** Seconds after which a session ends however active. Default 7 days. */
  readonly sessionAbsolute?: number
}

/** Built-in accounts, registered by hand. Decorates `fastify.mcpSignIn` and `fastify.mcpSetUpLink`. */
export interface SignInOptions extends AccountsOptions {
  /** As for `oauthRoutes`: the pages are served under its path. */
  readonly issuer: string
  /** How people call this server; stands on the pages. */
  readonly resourceName?: string
}

/**
 * The umbrella: every part, in the right order. `false` leaves a part out.
 * Whatever it can do, the parts can do by hand (examples/composed.ts).
 */
export interface McpSecurityOptions extends PkceStoreOptions, OAuthRoutesOptions {
  readonly mcpPath?: string
  readonly rememberedTokens?: number
  readonly recheck?: number
  readonly audit?: AuditOptions | false
  readonly securityHeaders?: SecurityHeadersOptions | false
  readonly originGuard?: OriginGuardOptions | false
  readonly rateLimits?: RateLimitsOptions | false
  /** Built-in accounts and their sign-in page, for hosts without users. Default: on when `signIn` is left out. */
  readonly accounts?: AccountsOptions | false
}
