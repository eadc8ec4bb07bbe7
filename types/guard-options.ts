import type { ScopeCatalogue, SenderConstraint } from './access.js'
import type { Clock } from './clock.js'
import type { AccessCheck, AuthenticationOptions } from './guard.js'
import type { ComponentsOptions } from './oauth-options.js'
import type { TokenVerifier } from './principal.js'
import type { ClientCertificateOptions, DpopOptions } from './sender-constraint.js'

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

/** The tokens that `oauthRoutes` issues, for a guard that takes those of others as well. */
export interface OwnVerifierOptions {
  readonly issuer: string
  /** The resource that the tokens have to be for: the guard's. */
  readonly resource: string
  /** Verified tokens remembered at the same time. Default 200 000, 1.6 KB each; 0: none. */
  readonly rememberedTokens?: number
  /** Seconds after which a remembered token's grant is looked up again. 0 to 60. Default 5. */
  readonly recheck?: number
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
