import { sha256 } from '../crypto/digest.js'
import { readPublicJwk } from '../crypto/public-jwk.js'
import { InvalidOptionError } from '../errors.js'
import { readCertificateMembers } from '../protocol/certificate-subject.js'
import { isSecretMethod, needsKeys, readKeyMembers } from '../protocol/client-key-members.js'
import type { ClientAuthenticationMethod, ClientMetadata, StaticClient } from '../../types/oauth.js'

/** How a client of the operator shows who it is. */
export interface StaticCredentials {
  readonly method: ClientAuthenticationMethod
  readonly secretDigests: readonly string[]
  readonly members: Partial<ClientMetadata>
}

interface Need {
  /** One of these, and only with a method that needs it. */
  readonly names: ReadonlyArray<'secret' | 'secrets' | 'jwks' | 'jwksUri' | 'tlsClientAuth'>
  readonly isNeeded: (method: ClientAuthenticationMethod) => boolean
}

const SECRET = /^[\w.~-]{32,200}$/
const MAX_SECRETS = 2
const NEEDS: readonly Need[] = [
  { names: ['secret', 'secrets'], isNeeded: isSecretMethod },
  { names: ['jwks', 'jwksUri'], isNeeded: needsKeys },
  { names: ['tlsClientAuth'], isNeeded: (method) => method === 'tls_client_auth' }
]

/**
 * Reads what shows who a client of the operator is: what its method needs, and nothing of another one.
 * @throws {InvalidOptionError} whose message starts with the path of the option that is wrong.
 */
export function readStaticCredentials (input: StaticClient, path: string): StaticCredentials {
  const method = input.tokenEndpointAuthMethod ?? methodOf(input)
  const secretDigests = readSecrets(input, path).map(sha256)
  for (const need of NEEDS) assertNeed(input, need, { method, path })
  return { method, secretDigests, members: { ...readKeys(input, method, path), ...readSubject(input, method, path) } }
}

function methodOf ({ secret, secrets, jwks, jwksUri, tlsClientAuth }: StaticClient): ClientAuthenticationMethod {
  if (secret !== undefined || secrets !== undefined) return 'client_secret_basic'
  if (jwks !== undefined || jwksUri !== undefined) return 'private_key_jwt'
  return tlsClientAuth === undefined ? 'none' : 'tls_client_auth'
}

function assertNeed (
  input: StaticClient, { names, isNeeded }: Need, { method, path }: { method: ClientAuthenticationMethod, path: string }
): void {
  const [given, other] = names.filter((name) => input[name] !== undefined)
  if (given !== undefined && other !== undefined) {
    throw new InvalidOptionError(`${path}.${other} cannot be given together with ${given}`)
  }
  if (given !== undefined && !isNeeded(method)) {
    throw new InvalidOptionError(`${path}.${given} contradicts tokenEndpointAuthMethod ${method}`)
  }
  if (given === undefined && isNeeded(method)) {
    throw new InvalidOptionError(`${path}.${names[0]} is needed by tokenEndpointAuthMethod ${method}`)
  }
}

function readSecrets ({ secret, secrets }: StaticClient, path: string): readonly string[] {
  if (secret !== undefined && !SECRET.test(secret)) {
    throw new InvalidOptionError(`${path}.secret must be 32 to 200 of A-Z a-z 0-9 - . _ ~`)
  }
  if (secrets === undefined) return secret === undefined ? [] : [secret]
  if (secrets.length === 0 || secrets.length > MAX_SECRETS || !secrets.every((one) => SECRET.test(one))) {
    throw new InvalidOptionError(`${path}.secrets must be one or two of 32 to 200 of A-Z a-z 0-9 - . _ ~`)
  }
  return secrets
}

function readKeys (
  { jwks, jwksUri }: StaticClient, method: ClientAuthenticationMethod, path: string
): Partial<ClientMetadata> {
  const at = `${path}.${jwksUri === undefined ? 'jwks' : 'jwksUri'}`
  const given = new Map<string, unknown>(jwksUri === undefined ? [['jwks', jwks]] : [['jwks_uri', jwksUri]])
  const members = checked(at, () => readKeyMembers(given, method))
  const wrong = members.jwks?.keys.findIndex((key) => (readPublicJwk(key)?.key() ?? null) === null) ?? -1
  if (wrong !== -1) throw new InvalidOptionError(`${at}.keys.${wrong} is no public key`)
  return members
}

function readSubject (
  { tlsClientAuth = {} }: StaticClient, method: ClientAuthenticationMethod, path: string
): Partial<ClientMetadata> {
  const { subjectDn, sanDns, sanUri, sanIp, sanEmail } = tlsClientAuth
  const given: Array<readonly [string, unknown]> = [
    ['tls_client_auth_subject_dn', subjectDn],
    ['tls_client_auth_san_dns', sanDns],
    ['tls_client_auth_san_uri', sanUri],
    ['tls_client_auth_san_ip', sanIp],
    ['tls_client_auth_san_email', sanEmail]
  ]
  const members = new Map(given.filter(([, value]) => value !== undefined))
  return checked(`${path}.tlsClientAuth`, () => readCertificateMembers(members, method))
}

/** The message names the path, and what is wrong in the words of the metadata. */
function checked<T> (path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new InvalidOptionError(`${path} is not valid: ${String(error)}`)
  }
}
