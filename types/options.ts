import type { AuditOptions } from './audit.js'
import type { Clock } from './clock.js'
import type { BindingOptions, GuardModes, ProtocolVersion } from './guard-options.js'
import type { OAuthRoutesOptions } from './oauth-options.js'
import type { PkceStoreOptions } from './store-options.js'

export type * from './grant-options.js'
export type * from './guard-options.js'
export type * from './oauth-options.js'
export type * from './registration-options.js'
export type * from './store-options.js'

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
export interface McpSecurityOptions extends PkceStoreOptions, OAuthRoutesOptions, GuardModes, BindingOptions {
  readonly mcpPath?: string
  readonly protocolVersions?: readonly ProtocolVersion[]
  readonly rememberedTokens?: number
  readonly recheck?: number
  readonly audit?: AuditOptions | false
  readonly securityHeaders?: SecurityHeadersOptions | false
  readonly originGuard?: OriginGuardOptions | false
  readonly rateLimits?: RateLimitsOptions | false
  /** Built-in accounts and their sign-in page, for hosts without users. Default: on when `signIn` is left out. */
  readonly accounts?: AccountsOptions | false
}
