import type { SenderConstraint } from './access.js'
import type { ClientCertificateOptions, DpopOptions } from './sender-constraint.js'

/** The protected resource metadata of a server whose tokens somebody else issues. */
export interface ResourceMetadataOptions {
  /** The MCP endpoint's URL, as `scopeGuard` has it. */
  readonly resource: string
  /**
   * The issuers whose tokens are good here, as they write themselves, byte by byte. At least one; clients try the
   * first one first.
   */
  readonly authorizationServers: readonly string[]
  /** What a client needs to start, as it asks for it at the authorization server (RS-5). Default: not said. */
  readonly scopes?: readonly string[]
  /** How people call this server. */
  readonly resourceName?: string
  /** As `scopeGuard` has it; its algorithms are said. */
  readonly dpop?: DpopOptions
  /** As `scopeGuard` has it; that it is there is said. */
  readonly clientCertificate?: ClientCertificateOptions
  /** As `scopeGuard` has it; only `true` is said. */
  readonly requireSenderConstraint?: SenderConstraint
}
