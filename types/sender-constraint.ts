import type { SignatureAlgorithm } from './foreign-tokens.js'

/** RFC 7800 members that say what a token is bound to: a DPoP key (RFC 9449 §6.1), a certificate (RFC 8705 §3.1). */
export type Confirmation = Readonly<Record<string, string>>

/** Access tokens that are bound to a key of the client's (RFC 9449). `{}` switches it on as it is best. */
export interface DpopOptions {
  /** What proofs may be signed with. Default ES256, RS256, PS256 and EdDSA. */
  readonly algorithms?: readonly SignatureAlgorithm[]
  /**
   * Whether a proof needs a nonce of this server (RFC 9449 §9), so that none can be made in advance. A client's first
   * request is then answered 401 `use_dpop_nonce`, and every answer brings the next nonce. Default `false`.
   */
  readonly nonce?: boolean
  readonly replay?: DpopReplayOptions
}

/** How the proofs that were used are remembered, each for as long as it would be good: 10 minutes at most. */
export interface DpopReplayOptions {
  /**
   * Proofs remembered by one process at the same time, by the guard and by the authorization server each, of one key a
   * quarter of them. Above it requests with a new
   * proof are answered 503: none is forgotten too early. 100 to 10 000 000. Default 200 000. Not beside `shared`.
   */
  readonly max?: number
  /** Remembers them in the store of `pkceStore`, for all instances: one write for each request. Default `false`. */
  readonly shared?: boolean
}

/** TLS client certificates, for clients and tokens (RFC 8705 §2, §3). `{}`: of the connection itself. */
export interface ClientCertificateOptions {
  /**
   * The request header in which a proxy that ends TLS hands on the certificate: `client-cert` (RFC 9440), or one with
   * URL-encoded PEM as nginx and Envoy write it. Together with `proxies`.
   */
  readonly header?: string
  /**
   * Addresses of these proxies, or networks as `10.0.0.0/8`, compared with the connection's own other end. From them
   * only the header counts, from everybody else only the certificate of the connection. The proxy must replace what a
   * client sends under the header's name.
   */
  readonly proxies?: readonly string[]
  /**
   * Whether these proxies hand on no certificate whose chain they have not found good. Only then can it show who a
   * client with `tls_client_auth` is: else anybody could have made it. Default `false`.
   */
  readonly proxiesVerify?: boolean
}
