import type { Agent } from 'node:https'
import type { ComponentRule, ScopeCatalogue, SenderConstraint, Servers, TagLimits } from './access.js'
import type { AuditOptions } from './audit.js'
import type { Clock } from './clock.js'
import type { SigningAlgorithm } from './crypto.js'
import type { AccessCheck, AuthenticationOptions } from './guard.js'
import type { AccessTokenFormat, Lifetimes, StaticClient } from './oauth.js'
import type { TokenVerifier } from './principal.js'
import type { ClientCertificateOptions, DpopOptions } from './sender-constraint.js'
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
  /**
   * Of new access tokens; those of both formats are verified side by side. `jwt` (default): signed, RFC 9068. `opaque`:
   * 256 random bits behind `mcps_at_`, looked up in `store`; at most 16 of one grant are good at the same time.
   */
  readonly accessTokenFormat?: AccessTokenFormat
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

/** What the server has. The guard opens it, the consent page says what a scope opens. */
export interface ComponentsOptions {
  /**
   * What no rule names is denied to everybody. `oauthRoutes` takes those of the `scopeGuard` before it that guards the
   * same resource when it is given none, also those that are put in their place at run time.
   */
  readonly components?: readonly ComponentRule[]
  /** The backends that `server` of a component names, with the tags that all of its components carry. */
  readonly servers?: Servers
  /** Bounds for tags in scopes, `?tags=`, `?filter=`. Default: 100 and 50 characters, 50 tags, none of them twice. */
  readonly tagLimits?: Partial<TagLimits>
  /** Whether `scopes_supported` names the scopes of all tags, to everybody. Default `true`. */
  readonly advertiseTags?: boolean
}

export interface OAuthRoutesOptions extends ComponentsOptions {
  /** https (http only on loopback), no query, no fragment, no trailing slash. Compared byte by byte by clients. */
  readonly issuer: string
  /** The MCP endpoint's URL. The audience of every token. */
  readonly resource: string
  readonly resourceName?: string
  readonly scopes: ScopeCatalogue
  /** What a client gets that asks for none, and what the first challenge names. Default: see README. */
  readonly defaultScopes?: readonly string[]
  /** Who the user is. Needed unless the built-in accounts are registered. */
  readonly signIn?: SignIn
  /**
   * Clients whose id is the https URL of a document about them (client ID metadata documents), fetched from public
   * addresses only, when a user has signed in. `false`: such ids are unknown. Default: every document.
   */
  readonly clientDocuments?: ClientDocumentsOptions | false
  /**
   * Authorization requests that clients send ahead (RFC 9126, `/par`): `required` refuses all others. Default
   * `optional`.
   */
  readonly pushedRequests?: 'off' | 'optional' | 'required'
  /** `false`: clients cannot register themselves and the endpoint is not advertised. Default `true`. */
  readonly registration?: boolean
  /** Private-use redirect schemes, such as `cursor`, that may be registered. Default none (AS-A4). */
  readonly redirectSchemes?: readonly string[]
  readonly leniencies?: Partial<Leniencies>
  /** Switches every leniency off, whatever `leniencies` says. Default `false`. */
  readonly strict?: boolean
  /** As for `scopeGuard`: the metadata of the resource says it (RS-7). */
  readonly dpop?: DpopOptions
  /** As for `scopeGuard`: the metadata of the resource says it. */
  readonly clientCertificate?: ClientCertificateOptions
  /** As for `scopeGuard`: the metadata of the resource says it, when everything needs bound tokens. */
  readonly requireSenderConstraint?: SenderConstraint
}

export interface ClientDocumentsOptions {
  /** Which documents may be fetched; anything but `true` refuses. Asked again each time. Default: every one. */
  readonly allow?: (clientId: URL) => boolean | Promise<boolean>
  /** How to get out, an egress proxy for instance. One that resolves names by itself has to refuse private ones. */
  readonly agent?: Agent
  /** Also documents on this machine: for development. Default `false`. */
  readonly loopback?: boolean
}

/** How the guard of a host behaves, whatever credentials and components it has. */
export interface GuardModes {
  /**
   * The host's last word on each operation that the policy allows (RS-30). It can only narrow: everything but `true`
   * denies. When it throws, the request is refused with 503 and the error is logged.
   */
  readonly access?: AccessCheck
  /**
   * What the policy would deny passes, lists included, and is reported as `access.would-be-denied`; without a good
   * token nothing passes. For a team that takes up scopes step by step. Default `false`. A route may say otherwise.
   */
  readonly reportOnly?: boolean
  /**
   * A component that is denied is answered as one that does not exist, byte for byte. Clients are then told of no
   * scopes to ask for: they cannot step up for a component. Default `false`.
   */
  readonly hideDenied?: boolean
  /** Authentication off, and on again at run time. Default: on. */
  readonly authentication?: AuthenticationOptions
}

/** A revision of MCP that the guard knows. */
export type ProtocolVersion =
  '2026-07-28' | '2025-11-25' | '2025-06-18' | '2025-03-26' | '2024-11-05' | '2024-10-07'

/** How what a server gives to a client is kept from everybody else, and for how long. */
export interface BindingOptions {
  /**
   * Opens the methods of tasks, `tasks/get`, `tasks/result`, `tasks/update` and `tasks/cancel`, each to the principal
   * that the task was given to and nobody else (RS-33). `tasks/list` only with `{ list: true }`, by which the host says
   * that its list holds nothing but the caller's own. Default `false`: denied to everybody.
   */
  readonly tasks?: boolean | { readonly list: boolean }
  /** Seconds that a `requestState` is good for (revision 2026-07-28). 10 to 86 400. Default 600. */
  readonly stateLifetime?: number
  /** Seconds between two looks at whether the tokens of open streams still hold (RS-20). 1 to 60. Default 1. */
  readonly streamRecheck?: number
}

export interface ScopeGuardOptions extends ComponentsOptions, GuardModes, BindingOptions {
  /** Needed without `verifier`; a verifier knows its issuers by itself. */
  readonly issuer?: string
  readonly resource: string
  readonly scopes: ScopeCatalogue
  readonly defaultScopes?: readonly string[]
  /** Default: verifies the tokens that `oauthRoutes` issues, by `fastify.pkceStore`. */
  readonly verifier?: TokenVerifier
  /** Where the MCP endpoint is mounted in the app, when not at the path of `resource`. */
  readonly mcpPath?: string
  /**
   * The revisions that the MCP endpoint speaks. Default all that the guard knows. A request of another one is answered
   * 400 before the host's handler sees it, with the list of those that are spoken.
   */
  readonly protocolVersions?: readonly ProtocolVersion[]
  /** Verified tokens remembered at the same time. Default 200 000, 1.6 KB each; 0: none. Not beside `verifier`. */
  readonly rememberedTokens?: number
  /** Seconds after which a remembered token's grant is looked up again. 0 to 60. Default 5. Not beside `verifier`. */
  readonly recheck?: number
  /** Takes access tokens that are bound to a key (RFC 9449). Default: refuses them. */
  readonly dpop?: DpopOptions
  /** Takes access tokens that are bound to a TLS client certificate (RFC 8705). Default: refuses them. */
  readonly clientCertificate?: ClientCertificateOptions
  /** What takes no other tokens than bound ones. Needs `dpop` or `clientCertificate`. Default `false`. */
  readonly requireSenderConstraint?: SenderConstraint
  /**
   * What the ids of sessions, events, tasks and states, and handles are bound with: at least 32 characters each, the
   * first binds, all are known. Not beside `pkceStore`, whose own are used. Default random: what was bound ends with
   * the process, so several instances behind one address need it.
   */
  readonly secrets?: readonly string[]
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
