import { isIP } from 'node:net'
import type { ClientAuthenticationMethod, ClientMetadata } from '../../types/oauth.js'
import { readDistinguishedName } from './distinguished-name.js'
import { OAuthError } from './oauth-error.js'

type CertificateMember = Extract<keyof ClientMetadata, `tls_client_auth_${string}`>
type CertificateMembers = Pick<ClientMetadata, CertificateMember>

const MAX_LENGTH = 1024
// RFC 1123 §2.1. Not one that begins with a dot, which would stand for everything below.
const DNS_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i
const EMAIL = /^[\x21-\x3f\x41-\x7e]+@[a-z0-9.-]+$/i

/** What may stand in each member (RFC 8705 §2.1.2). */
const FITS: Readonly<Record<CertificateMember, (value: string) => boolean>> = {
  tls_client_auth_subject_dn: (value) => readDistinguishedName(value) !== null,
  tls_client_auth_san_dns: (value) => DNS_NAME.test(value),
  tls_client_auth_san_uri: (value) => URL.canParse(value),
  tls_client_auth_san_ip: (value) => isIP(value) !== 0,
  tls_client_auth_san_email: (value) => EMAIL.test(value)
}
export const CERTIFICATE_MEMBERS = Object.keys(FITS) as CertificateMember[]

/**
 * What the certificate of a client with `tls_client_auth` has to say: exactly one thing (RFC 8705 §2.1.2). Nothing for
 * another method.
 * @throws {OAuthError} `invalid_client_metadata`
 */
export function readCertificateMembers (
  members: ReadonlyMap<string, unknown>, method: ClientAuthenticationMethod
): CertificateMembers {
  if (method !== 'tls_client_auth') return {}
  const [name, ...others] = CERTIFICATE_MEMBERS.filter((one) => members.has(one))
  if (name === undefined || others.length > 0) {
    throw refusal(`tls_client_auth needs exactly one of ${CERTIFICATE_MEMBERS.join(', ')}`)
  }
  const value = members.get(name)
  if (typeof value !== 'string' || value.length > MAX_LENGTH || !FITS[name](value)) throw refusal(`${name} is not valid`)
  return { [name]: value }
}

function refusal (description: string): OAuthError {
  return new OAuthError({ code: 'invalid_client_metadata', description })
}
