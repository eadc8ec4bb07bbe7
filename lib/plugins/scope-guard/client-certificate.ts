import { hash } from 'node:crypto'
import { TLSSocket } from 'node:tls'
import type { FastifyRequest } from 'fastify'
import type { ClientCertificateOptions } from '../../../types/sender-constraint.js'
import { InvalidOptionError } from '../../errors.js'
import { readCertificateHeader } from '../../protocol/client-certificate.js'
import { headerLines } from '../../protocol/header-lines.js'
import { readNetworks } from '../../protocol/networks.js'
import { inOption } from '../support/in-option.js'

/** SHA-256 of the client's certificate, base64url (RFC 8705 §3.1); `null` when it has none that counts. */
export type CertificateOf = (request: FastifyRequest) => string | null

const thumbprintOf = (der: Uint8Array): string => hash('sha256', der, 'base64url')

/** What the client proved to have when the connection was made. Whether anybody vouches for it is for the TLS layer. */
function ofConnection ({ raw: { socket } }: FastifyRequest): string | null {
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
  return certificate === undefined ? null : thumbprintOf(certificate.raw)
}

function inHeader (request: FastifyRequest, name: string): string | null {
  const [value, ...others] = headerLines(request.raw.rawHeaders, name)
  // A proxy that adds a line instead of replacing it lets the client choose.
  const der = value === undefined || others.length > 0 ? null : readCertificateHeader(value)
  return der === null ? null : thumbprintOf(der)
}

/**
 * Where the client's certificate is found (RFC 8705 §3, AS-P5, AS-G2): on the connection, or, when its other end is one
 * of the `proxies`, in their header and nowhere else. What anybody else writes into that header means nothing. Only the
 * connection's own address counts, never `X-Forwarded-For`.
 * @throws {InvalidOptionError} at boot for one option without the other, and for what is no address.
 */
export function certificateSource ({ header, proxies }: ClientCertificateOptions): CertificateOf {
  if (header === undefined && proxies === undefined) return ofConnection
  if (proxies === undefined) throw new InvalidOptionError('clientCertificate.proxies is required together with header')
  if (header === undefined) throw new InvalidOptionError('clientCertificate.header is required together with proxies')
  const isProxy = inOption('clientCertificate.proxies.', () => readNetworks(proxies))
  const name = header.toLowerCase()
  return (request) =>
    isProxy(request.raw.socket.remoteAddress) ? inHeader(request, name) : ofConnection(request)
}
