import type { Client, StaticClient } from './oauth.js'

/**
 * A client as the operator makes it at run time: what `clients` of the configuration says, without what is ours to
 * make. With a `client_secret_*` method it gets a secret of ours.
 */
export type OperatorsClient = Omit<StaticClient, 'clientId' | 'secret' | 'secrets'>

/** A client as the store keeps it. No secret, and no digest of one. */
export interface ListedClient extends Omit<Client, 'secretDigests'> {
  /** Whether it is switched off. */
  readonly disabled: boolean
  /** Whether a user has authorized it since it was made. */
  readonly authorized: boolean
  /** Seconds since the Unix epoch at which it is forgotten; `null` for never. */
  readonly expiresAt: number | null
  /** Seconds since the Unix epoch at which the secret before the last rotation ends; `null` when there is none. */
  readonly oldSecretEndsAt: number | null
}

/** A client, and its secret for the only time: the store has the digest. `null` when it has none, or keeps it. */
export interface ClientWithSecret {
  readonly client: ListedClient
  readonly secret: string | null
}

/**
 * `fastify.mcpClients`: the clients in the store, for the operator's own tools. Those of the configuration are not
 * among them. Each change is one atomic step, in force at once in every process on the store, and reported to the
 * audit. It asks nobody whether the caller may: guard the routes that use it.
 */
export interface ClientAdmin {
  /**
   * Makes a client that the operator answers for: it never expires, `scope` is the most that it may ask for, and any
   * private-use redirect scheme may be named.
   * @throws {InvalidOptionError} whose message starts with `client` and the member that is wrong.
   */
  create (input: OperatorsClient): Promise<ClientWithSecret>
  /** Also one that is switched off. `null` when the store has none. */
  find (clientId: string): Promise<ListedClient | null>
  /** In the order of their ids. `limit`: 1 to 1000, default 100. `origin`: only those that the operator made. */
  list (page?: { readonly origin?: 'admin', readonly limit?: number, readonly after?: string }):
  Promise<{ readonly clients: readonly ListedClient[], readonly cursor: string | null }>
  /**
   * Replaces all that the operator said of a client. Other redirect URIs end what was not exchanged yet. A client that
   * goes on with a secret keeps it; one that needs one gets one. `null` when the operator made no such client.
   * @throws {InvalidOptionError} as `create`.
   */
  update (clientId: string, input: OperatorsClient): Promise<ClientWithSecret | null>
  /**
   * Gives a client another secret. The one before stays good for `overlap` seconds, 0 to 31 days, default one day; of
   * older ones none does. `null` when the operator made no such client, or it has no secret.
   * @throws {RangeError} for another `overlap`.
   */
  rotateSecret (clientId: string, input?: { readonly overlap?: number }): Promise<ClientWithSecret | null>
  /**
   * Switches a client off and ends its grants, also one that is not in the store since its id says all. Answers whether
   * there is such a client.
   */
  disable (clientId: string): Promise<boolean>
  /** Switches it on again; its users have to authorize it again. Answers whether there is such a client. */
  enable (clientId: string): Promise<boolean>
  /** Ends a client with its grants. Answers whether there was one. */
  remove (clientId: string): Promise<boolean>
}
