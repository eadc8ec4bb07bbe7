/** A scope in words, as the consent page shows it. */
export interface ScopeDefinition {
  /** A short phrase that finishes "This lets the application ...": "Read your notes". */
  readonly title: string
  readonly description?: string
  /** Scopes that this one contains (RS-25); their own `implies` count too. A cycle stops the boot. */
  readonly implies?: readonly string[]
}

export type ScopeCatalogue = Readonly<Record<string, string | ScopeDefinition>>

/** How sure the sign-in behind a credential has to be (RFC 9470). At least one member. */
export interface AssuranceRule {
  /** Seconds since the user signed in, at most. A principal that never signed in does not pass. */
  readonly maxAge?: number
  /** Any of these. */
  readonly acr?: readonly string[]
  /** All of these (RFC 8176). */
  readonly amr?: readonly string[]
}

/**
 * What one component of the MCP server needs. Exactly one of `tool`, `prompt`, `resource`, `resourceTemplate` is
 * given, and at least one of `scopes`, `anyScope` and a tag.
 */
export interface ComponentRule {
  readonly tool?: string
  readonly prompt?: string
  /** An exact resource URI, in normal form. */
  readonly resource?: string
  /**
   * A URI template (RFC 6570): `{name}` stands for one or more characters but `/`, `?` and `#`, `{+name}` for one or
   * more of any. A URI has to be allowed by every rule that matches it, as it is written or as a handler may take it:
   * decoded, with its host in lower case, with slashes of either kind and any number as one and none at the end, and,
   * where a rule leaves its query or fragment open, without them.
   */
  readonly resourceTemplate?: string
  /** All of these are needed. An empty list opens the component to every principal with a grant. */
  readonly scopes?: readonly string[]
  /** At least one of these is needed, besides `scopes`. */
  readonly anyScope?: readonly string[]
  /**
   * The scope `tag:NAME` of any of these opens it instead of its scopes. Not when it is `destructive`: then its scopes
   * are needed in any case.
   */
  readonly tags?: readonly string[]
  /** The backend that it belongs to: it carries the tags of `servers[server]` as well. */
  readonly server?: string
  /** Any of these is needed, besides the scopes. */
  readonly roles?: readonly string[]
  readonly assurance?: AssuranceRule
  /** Only for a credential that is bound to a key or certificate of the client (RFC 7800). */
  readonly senderConstrained?: boolean
  /** The header `Mcp-Param-<name>` has to be equal to the argument of this name. */
  readonly headers?: Readonly<Record<string, string>>
  /** Marked on the consent page; no tag scope opens it by itself. */
  readonly destructive?: boolean
  /** How people call it; its name when left out. */
  readonly title?: string
}

/** The backends behind a gateway, by the name that `server` of a component says. */
export type Servers = Readonly<Record<string, { readonly tags: readonly string[] }>>

/** What needs a sender-constrained credential: all, or what needs one of these scopes or carries one of these tags. */
export type SenderConstraint = boolean | { readonly scopes?: readonly string[], readonly tags?: readonly string[] }

/** Bounds for tags and for the scopes that name them. */
export interface TagLimits {
  /** Characters of a scope, `tag:` included. 5 to 100. */
  readonly scopeLength: number
  /** Characters of a tag. 1 to 96. */
  readonly tagLength: number
  /** Tags in one request. 0 to 100. */
  readonly tags: number
  /** Whether a tag may be named twice in one request. */
  readonly duplicates: boolean
}

export type ComponentKind = 'tool' | 'prompt' | 'resource' | 'resourceTemplate'

/** A resource by its URI, a resource template by its text, everything else by its name. */
export interface Component {
  readonly kind: ComponentKind
  readonly name: string
}

/** One thing that a request wants to do. A JSON-RPC batch is several. */
export type Operation =
  | { readonly type: 'message', readonly method: string, readonly component: Component | null }
  | { readonly type: 'route', readonly scopes: readonly string[] }

/**
 * Why not. `filtered`: the client narrowed its request so that this is left out; `not-consented`: it is destructive and
 * the user has not seen it on the consent page; `host`: the host had the last word.
 * All others are `decide`'s.
 */
export type DenialReason =
  | 'unknown-method' | 'unknown-component' | 'empty-grant' | 'filtered' | 'insufficient-role' | 'insufficient-scope'
  | 'not-consented' | 'not-sender-constrained' | 'insufficient-authentication' | 'host'

/** `missing` and `required` hold all scopes at once (RS-23). */
export type Decision =
  | { readonly allowed: true, readonly required: readonly string[] }
  | {
    readonly allowed: false
    readonly reason: DenialReason
    readonly required: readonly string[]
    readonly missing: readonly string[]
    /** What the sign-in lacks, where that is the reason. */
    readonly assurance?: AssuranceRule
  }

/** Whether a component with these tags is in what the client asked to see. */
export type TagFilter = (tags: ReadonlySet<string>) => boolean

/** `config.mcpSecurity` of a route. */
export interface RouteSecurity {
  /** What would be denied at this route passes and is reported only. Default: the guard's `reportOnly`. */
  readonly reportOnly?: boolean
  /** Leaves the route open to everybody. */
  readonly public?: boolean
  /** All of these are needed. */
  readonly scopes?: readonly string[]
}
