import { hash } from 'node:crypto'
import { TLSSocket } from 'node:tls'
import type { FastifyRequest } from 'fastify'
import type { ClientCertificateOptions } from '../../../types/sender-constraint.js'
import { InvalidOptionError } from '../../errors.js'
import { readCertificateHeader } from '../../protocol/client-certificate.js'
import { headerLines } from '../../protocol/header-lines.js'
import { readNetworks } from '../../protocol/networks.js'
import { inOption } from './in-option.js'

/** What a client showed when the connection was made, and has the key of. */
export interface ShownCertificate {
  /** From a header: as the proxy wrote it, not looked at yet. */
  readonly der: Uint8Array
  /** Whether somebody vouches for it: the TLS layer found that its chain ends at an authority that it trusts. */
  readonly isTrusted: boolean
}

/** SHA-256, base64url: the `x5t#S256` of tokens that are bound to it (RFC 8705 §3.1). */
export function thumbprintOf ({ der }: ShownCertificate): string {
  return hash('sha256', der, 'base64url')
}

/** `null` when the client has no certificate that counts. */
export type CertificateOf = (request: FastifyRequest) => ShownCertificate | null

function ofConnection ({ raw: { socket } }: FastifyRequest): ShownCertificate | null {
  if (!(socket instanceof TLSSocket)) return null
  const certificate = socket.getPeerX509Certificate()
  return certificate === undefined ? null : { der: certificate.raw, isTrusted: socket.authorized }
}

function inHeader (request: FastifyRequest, name: string): Buffer | null {
  const [value, ...others] = headerLines(request.raw.rawHeaders, name)
  // A proxy that adds a line instead of replacing it lets the client choose.
  return value === undefined || others.length > 0 ? null : readCertificateHeader(value)
}

/**
 * Where the client's certificate is found (RFC 8705 §3, AS-P5, AS-G2): on the connection, or, when its other end is one
 * of the `proxies`, in their header and nowhere else. What anybody else writes into that header means nothing. Only the
 * connection's own address counts, never `X-Forwarded-For`.
 * @throws {InvalidOptionError} at boot for one option without the other, and for what is no address.
 */
export function certificateSource (
  { header, proxies, proxiesVerify }: ClientCertificateOptions
): CertificateOf {
  if (proxiesVerify !== undefined && header === undefined) {
    throw new InvalidOptionError('clientCertificate.proxiesVerify says something about header, which is missing')
  }
  if (header === undefined && proxies === undefined) return ofConnection
  if (proxies === undefined) throw new InvalidOptionError('clientCertificate.proxies is required together with header')
  if (header === undefined) throw new InvalidOptionError('clientCertificate.header is required together with proxies')
  const isProxy = inOption('clientCertificate.proxies.', () => readNetworks(proxies))
  const name = header.toLowerCase()
  const isTrusted = proxiesVerify === true
  return (request) => {
    if (!isProxy(request.raw.socket.remoteAddress)) return ofConnection(request)
    const der = inHeader(request, name)
    return der === null ? null : { der, isTrusted }
  }
}
