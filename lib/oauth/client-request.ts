import type { X509Certificate } from 'node:crypto'
import type { Form } from '../protocol/form.js'
import type { AuditInput } from '../../types/audit.js'

/** What a request to an endpoint for clients brings, whatever the endpoint. */
export interface ClientRequest {
  readonly form: Form
  /** The one `Authorization` header. */
  readonly authorization: string | undefined
  /** The lines of the `DPoP` header, as they came. */
  readonly proofs: readonly string[]
  /** The client's own, of the TLS connection; `null` when it has none that counts. */
  readonly certificate: ClientCertificate | null
  /** Tells the audit what it has to hear beside the answer. */
  readonly report?: (event: AuditInput) => void
}

/** A certificate whose private key the client has: TLS asked for the proof. */
export interface ClientCertificate {
  readonly x509: X509Certificate
  /** SHA-256 of it, base64url: the `x5t#S256` of tokens that are bound to it (RFC 8705 §3.1). */
  readonly thumbprint: string
  /** Whether its chain was found to end at an authority that the TLS layer trusts. Else anybody can have made it. */
  readonly isTrusted: boolean
}
