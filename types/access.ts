/** A scope in words, as the consent page shows it. */
export interface ScopeDefinition {
  /** A short phrase that finishes "This lets the application ...": "Read your notes". */
  readonly title: string
  readonly description?: string
  /** Scopes that this one contains (RS-25); their own `implies` count too. A cycle stops the boot. */
  readonly implies?: readonly string[]
}

export type ScopeCatalogue = Readonly<Record<string, string | ScopeDefinition>>

/** What one component of the MCP server needs. Exactly one of `tool`, `prompt`, `resource` is given. */
export interface ComponentRule {
  readonly tool?: string
  readonly prompt?: string
  /** An exact resource URI. */
  readonly resource?: string
  /** All of these are needed. An empty list opens the component to every principal with a grant. */
  readonly scopes: readonly string[]
  /** Marked on the consent page. */
  readonly destructive?: boolean
  /** How people call it; its name when left out. */
  readonly title?: string
}

export type ComponentKind = 'tool' | 'prompt' | 'resource'

export interface Component {
  readonly kind: ComponentKind
  readonly name: string
}

/** One thing that a request wants to do. A JSON-RPC batch is several. */
export type Operation =
  | { readonly type: 'message', readonly method: string, readonly component: Component | null }
  | { readonly type: 'route', readonly scopes: readonly string[] }

/** `missing` and `required` hold all scopes at once (RS-23). */
export type Decision =
  | { readonly allowed: true, readonly required: readonly string[] }
  | {
    readonly allowed: false
    readonly reason: 'empty-grant' | 'unknown-method' | 'unknown-component' | 'insufficient-scope'
    readonly required: readonly string[]
    readonly missing: readonly string[]
  }

/** `config.mcpSecurity` of a route. */
export interface RouteSecurity {
  /** Leaves the route open to everybody. */
  readonly public?: boolean
  /** All of these are needed. */
  readonly scopes?: readonly string[]
}
