import type { SignatureAlgorithm } from './foreign-tokens.js'

/** Claims of an assertion, as its issuer signed them. Plain data. */
export type AssertionClaims = Readonly<Record<string, unknown>>

/** A server whose assertions clients may bring to the token endpoint (RFC 7523). */
export interface AssertionIssuerBase {
  /** As it writes it in `iss`, byte by byte. https, or http on loopback. */
  readonly issuer: string
  /** Where it publishes its keys. https, or http on loopback. Never taken from an assertion. */
  readonly jwksUri: string
  /** Default RS256, PS256, ES256 and EdDSA. */
  readonly algorithms?: readonly SignatureAlgorithm[]
  /** For one answer, in milliseconds. 100 to 30 000. Default 5 000. */
  readonly timeoutMs?: number
  /** How it is reached. Default: the global `fetch`. */
  readonly fetch?: typeof fetch
}

/**
 * The identity provider of an enterprise, which decides which of its users may use which application here
 * (Identity Assertion JWT Authorization Grant; EX-10 to EX-14). Its users are asked for no consent.
 */
export interface EnterpriseIssuer extends AssertionIssuerBase {
  readonly profile: 'id-jag'
  /** The most that its users may get, with what it implies. Default: all scopes of the resource. */
  readonly scopes?: readonly string[]
  /**
   * Our name for the user that the assertion is about; `null` refuses. Default: issuer, tenant and `sub` in one text,
   * which is no other user of this server. `aud_sub` and `email` are the provider's claims: believe them when it is
   * the one that may say them. A `StoreUnavailableError` that it throws is answered 503, whatever else it throws 500.
   */
  readonly user?: (claims: AssertionClaims) => string | null | Promise<string | null>
}

/** A platform that tells its workloads apart: a CI service, a cluster (workload identity federation; EX-30, EX-31). */
export interface WorkloadIssuer extends AssertionIssuerBase {
  readonly profile: 'workload'
  readonly workloads: readonly Workload[]
}

/** Which workload may act as which client. The client needs no secret: the assertion shows who it is. */
export interface Workload {
  /** One of `clients`, or made by the operator; its `scope` is the most that it gets. */
  readonly clientId: string
  /** All of these have to be in the assertion, with exactly this text. Name what only this workload has. */
  readonly claims: Readonly<Record<string, string>>
}

export type AssertionIssuer = EnterpriseIssuer | WorkloadIssuer

/** A service behind this one that our users' tokens may be exchanged for (RFC 8693). */
export interface ExchangeService {
  /** The `aud` of its tokens: https, or http on loopback. No resource of this server. */
  readonly audience: string
  /** Who may exchange: ids of clients that the operator set up and that show who they are. */
  readonly clients: readonly string[]
  /** What may travel on. A token carries those of them that the exchanged one carries. */
  readonly scopes: readonly string[]
}

/** What a client asks of a grant type of the host. */
export interface HostGrantRequest {
  /** Has shown who it is, and registered this grant type. */
  readonly clientId: string
  /** All parameters but the client's own credentials. Each is input: check it. */
  readonly parameters: Readonly<Record<string, string>>
  /** Asked for; empty when nothing was. */
  readonly scopes: readonly string[]
  readonly resource: string
  /** Seconds since the Unix epoch. */
  readonly now: number
}

export interface HostGrantAnswer {
  /** The user; `null` for the client itself. 1 to 255 characters. */
  readonly subject: string | null
  /** What the resource does not have, or the client may not get, is left out. */
  readonly scopes: readonly string[]
  /** Seconds since the Unix epoch at which the user signed in. */
  readonly authenticatedAt?: number
  readonly acr?: string
  readonly amr?: readonly string[]
}

/**
 * Decides alone: nobody is asked for consent. `null` refuses as `invalid_grant`. A `StoreUnavailableError` that it
 * throws is answered 503, whatever else it throws 500.
 */
export type HostGrant = (request: HostGrantRequest) => HostGrantAnswer | null | Promise<HostGrantAnswer | null>

/** Ways to a token without a browser, besides client credentials. */
export interface GrantOptions {
  /** Whose assertions are taken (grant type `urn:ietf:params:oauth:grant-type:jwt-bearer`). Default: nobody's. */
  readonly assertionIssuers?: readonly AssertionIssuer[]
  /** For which services tokens may be exchanged (`urn:ietf:params:oauth:grant-type:token-exchange`). Default: none. */
  readonly tokenExchange?: readonly ExchangeService[]
  /** Grant types of your own, each by its absolute URI, for clients that you configured with it. */
  readonly grantTypes?: Readonly<Record<string, HostGrant>>
}
