import type { FastifyRequest } from 'fastify'
import type { ComponentRule, Operation, Servers } from './access.js'
import type { Principal } from './principal.js'

/** What the host is asked about: one operation that the policy allows to this principal. */
export interface AccessInput {
  readonly principal: Principal
  readonly operation: Operation
  readonly request: FastifyRequest
}

/**
 * The host's last word (RS-30). Called for each operation of a request that the policy allows, those without a
 * component such as `initialize` and `tools/list` included, and for each component of a list: it has to be quick.
 * Everything but `true` denies.
 */
export type AccessCheck = (input: AccessInput) => boolean | Promise<boolean>

/** Authentication that can be off, for development on one's own machine. The guard itself is never off. */
export interface AuthenticationOptions {
  /** Default `true`. */
  readonly enabled?: boolean
  /**
   * The name of an environment variable that says `on` or `off` (also `true`, `1`, `false`, `0`) in place of `enabled`,
   * read once, at boot. Without this option no variable does anything.
   */
  readonly environment?: string
  /** Who sends the requests while authentication is off. Needed wherever it can be off. */
  readonly anonymous?: AnonymousOptions
  /**
   * Lets anonymous requests come from elsewhere than this machine. Default `false`: the app does not start to listen
   * beyond loopback while authentication is off, and each request without a token is 401 that did not come over the
   * loopback interface directly, to a loopback host, from no other web site.
   */
  readonly beyondLoopback?: boolean
}

/** Local policy for the anonymous principal. */
export interface AnonymousOptions {
  /** Of the catalogue, or `tag:NAME`. They are checked like those of every token. */
  readonly scopes: readonly string[]
  readonly roles?: readonly string[]
  /** Default `null`, as of a client that acts for itself. */
  readonly subject?: string
}

/** `fastify.mcpAuthentication` */
export interface Authentication {
  /** While it is not, a request without a token is the anonymous principal's. One with a token is held to it. */
  readonly enabled: boolean
  /**
   * Takes effect for the next request, and is reported as `configuration.changed`. Open streams of the anonymous
   * principal end when it is switched on.
   * @throws {InvalidOptionError} when it is to be off and `authentication.anonymous` does not say for whom.
   * @throws {OpenServerError} `MCPS_ERR_OPEN_SERVER` when it is to be off and the app listens beyond loopback.
   */
  set (enabled: boolean): void
}

/** `fastify.mcpComponents` */
export interface Components {
  /** Every tag that some component carries: the scope `tag:NAME` of each exists. */
  readonly tags: readonly string[]
  /**
   * Puts other components in their place, all at once: from the next request on the guard decides by them, lists and
   * the consent page show them, and `scopes_supported` names their tags. A request under way ends with those that it
   * began with. `servers` stay as they are when left out. Reported as `configuration.changed`. Does *not* tell clients
   * that lists have changed, and changes no grant: a scope of a tag that is gone opens nothing, until it is back.
   * @throws {InvalidOptionError} for what would have stopped the boot; everything then stays as it was.
   */
  replace (components: readonly ComponentRule[], servers?: Servers): void
}
