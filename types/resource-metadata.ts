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
}
