import type { X509Certificate } from 'node:crypto'
import { secretsEqual } from '../crypto/digest.js'
import { isSameName, readDistinguishedName, readSubject } from '../protocol/distinguished-name.js'
import { InvalidTokenError } from '../tokens/errors.js'
import type { Client, ClientMetadata } from '../../types/oauth.js'
import type { ClientCertificate } from './client-request.js'
import type { ClientKeys } from './client-keys.js'

/** A URI among other names, in quotes where it holds what separates them. */
const NAME = /(?:^|, )([^:,"]+):("(?:[^"\\]|\\.)*"|[^,"]*)/g

/**
 * Checks that the certificate is the client's by the method that it registered (RFC 8705 §2). `tls_client_auth`: the
 * TLS layer, or the proxy, trusts its chain, and it says what was registered. `self_signed_tls_client_auth`: it is one
 * of those among the client's keys, byte by byte, and neither before nor after its time. Does *not* ask whether the
 * certificate was revoked: that is for the TLS layer.
 *
 * @throws {InvalidTokenError}
 * @throws {StoreUnavailableError} when the client's keys cannot be had now.
 */
export async function assertClientCertificate (
  certificate: ClientCertificate | null, client: Client, { keys, now }: { keys: ClientKeys, now: number }
): Promise<void> {
  if (certificate === null) throw new InvalidTokenError('no certificate')
  const { x509, isTrusted } = certificate
  if (client.authenticationMethods.includes('tls_client_auth')) {
    if (!isTrusted) throw new InvalidTokenError('not trusted')
    if (!isSubject(x509, client.metadata)) throw new InvalidTokenError('of somebody else')
    return
  }
  // Not the other way round: no number is before or after a date that cannot be read.
  const isGood = now >= secondsOf(x509.validFrom) && now < secondsOf(x509.validTo)
  if (!isGood) throw new InvalidTokenError('out of its time')
  await keys.findCertificate(client, x509.raw.toString('base64'), now)
}

/** Of the one member that is registered. */
function isSubject (x509: X509Certificate, metadata: ClientMetadata): boolean {
  const {
    tls_client_auth_subject_dn: subject, tls_client_auth_san_dns: dns, tls_client_auth_san_uri: uri,
    tls_client_auth_san_ip: ip, tls_client_auth_san_email: email
  } = metadata
  if (subject !== undefined) return isSubjectName(x509, subject)
  if (dns !== undefined) return x509.checkHost(dns, { subject: 'never', wildcards: false }) !== undefined
  if (uri !== undefined) return urisOf(x509).some((one) => secretsEqual(one, uri))
  if (ip !== undefined) return x509.checkIP(ip) !== undefined
  return email !== undefined && x509.checkEmail(email, { subject: 'never' }) !== undefined
}

function isSubjectName ({ subject }: X509Certificate, registered: string): boolean {
  const name = readSubject(subject)
  const expected = readDistinguishedName(registered)
  return name !== null && expected !== null && isSameName(name, expected)
}

function urisOf ({ subjectAltName = '' }: X509Certificate): string[] {
  return [...subjectAltName.matchAll(NAME)].filter(([, kind]) => kind === 'URI')
    .map(([, , value = '']) => value.startsWith('"') ? JSON.parse(value) : value)
}

function secondsOf (date: string): number {
  return Date.parse(date) / 1000
}
