import type { RouteSecurity } from './access.js'

export type { RouteSecurity }

/** Which limit counts a route besides the general one. */
export type LimitedTier = 'sensitive' | 'registration'

/**
 * Which web pages may read a public route's answers: `public` any (`*`), `none` only the server's own. Guarded routes
 * have the origin list instead.
 */
export type CorsPolicy = 'public' | 'none'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the route needs, or that it is open. A route that says nothing needs a valid token. */
    mcpSecurity?: RouteSecurity
    mcpLimit?: LimitedTier
    /** Default `none`. */
    mcpCors?: CorsPolicy
    /** The route is for people: it is refused with a page, not with JSON. */
    mcpPage?: boolean
    /** How audit events name the route; its pattern when left out. */
    mcpName?: string
  }
}
