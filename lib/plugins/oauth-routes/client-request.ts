import { X509Certificate } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { ClientCertificate, ClientRequest } from '../../oauth/client-request.js'
import { soleAuthorization } from '../../protocol/client-credentials.js'
import { headerLines } from '../../protocol/header-lines.js'
import { formOf } from '../support/body-parsers.js'
import { thumbprintOf, type CertificateOf, type ShownCertificate } from '../support/client-certificate.js'
import { recordEvent } from '../support/record-event.js'

/** @throws {OAuthError} `invalid_request` for more than one `Authorization` header. */
export type ClientRequestOf = (request: FastifyRequest) => ClientRequest

/** What a request to an endpoint for clients brings. Certificates count for nothing without `certificateOf`. */
export function clientRequests (certificateOf: CertificateOf | null): ClientRequestOf {
  return (request) => {
    const shown = certificateOf === null ? null : certificateOf(request)
    return {
      form: formOf(request),
      authorization: soleAuthorization(request.raw.rawHeaders),
      proofs: request.headers.dpop === undefined ? [] : headerLines(request.raw.rawHeaders, 'dpop'),
      certificate: shown === null ? null : certificateIn(shown),
      report: (event) => { recordEvent(request, event) }
    }
  }
}

/** A proxy may write anything: what is no certificate is none. */
function certificateIn (shown: ShownCertificate): ClientCertificate | null {
  try {
    return { x509: new X509Certificate(shown.der), thumbprint: thumbprintOf(shown), isTrusted: shown.isTrusted }
  } catch {
    return null
  }
}
