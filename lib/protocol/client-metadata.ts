import type { ClientAuthenticationMethod, ClientMetadata } from '../../types/oauth.js'
import { readCertificateMembers } from './certificate-subject.js'
import { readKeyMembers } from './client-key-members.js'
import { DEVICE_GRANT } from './grant-types.js'
import { isLoopbackHost } from './issuer.js'
import { OAuthError } from './oauth-error.js'
import { readRedirectUri } from './redirect-uri.js'
import { readScope } from './scopes.js'
import { hasControlCharacters, isWellFormed } from './text.js'

export interface ClientMetadataRules {
  /** Private-use redirect schemes that may be registered (AS-A4). */
  readonly schemes: readonly string[]
  /** Holds a `web` application, which is also the default, to https redirect URIs off loopback (AS-R3). */
  readonly strict?: boolean
  /** Whether the device grant is offered (RFC 8628): who registers no other needs no redirect URI. Default `false`. */
  readonly deviceAuthorization?: boolean
  /** Whether a certificate of the TLS connection can show who a client is. Default `false`. */
  readonly certificates?: boolean
}

/** Own members only; neither `null` nor an empty string among them. */
type Members = ReadonlyMap<string, unknown>

const MAX_REDIRECT_URIS = 32
const MAX_LIST = 32
const MAX_CONTACTS = 10
const MAX_TEXT = 256
const MAX_URI = 2048
const METHODS = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const
const CERTIFICATE_METHODS = ['tls_client_auth', 'self_signed_tls_client_auth'] as const
const APPLICATION_TYPES = ['native', 'web'] as const
const CODE_GRANT = 'authorization_code'
const GRANT_TYPES: readonly string[] = [CODE_GRANT, 'refresh_token']
const RESPONSE_TYPES = ['code'] as const

/**
 * Reads a registration (RFC 7591 §2, AS-R2, AS-R3) and answers what is registered: defaults filled in, grant and
 * response types that are not offered here left out, empty and `null` members absent, unknown members ignored.
 * Does *not* make anything of it trustworthy: names and URIs are the client's own claims (AS-R6).
 * @throws {OAuthError} `invalid_redirect_uri` or `invalid_client_metadata`
 */
export function readClientMetadata (input: unknown, rules: ClientMetadataRules): ClientMetadata {
  const members = readMembers(input)
  const applicationType = readChoice(members, 'application_type', APPLICATION_TYPES)
  const grantTypes = readGrantTypes(members, rules)
  const redirectUris = readRedirectUris(members, rules.schemes, grantTypes)
  if (rules.strict === true && applicationType !== 'native') assertWebRedirects(redirectUris)
  const method = readMethod(members, rules) ?? 'client_secret_basic'
  return {
    redirect_uris: redirectUris,
    token_endpoint_auth_method: method,
    grant_types: grantTypes,
    response_types: grantTypes.includes(CODE_GRANT) ? readOffered(members, 'response_types', RESPONSE_TYPES, 'code') : [],
    ...optional('application_type', applicationType),
    ...optional('client_name', readText(members, 'client_name')),
    ...optional('client_uri', readUri(members, 'client_uri')),
    ...optional('logo_uri', readUri(members, 'logo_uri')),
    ...optional('tos_uri', readUri(members, 'tos_uri')),
    ...optional('policy_uri', readUri(members, 'policy_uri')),
    ...optional('scope', readScopes(members)),
    ...optional('contacts', readContacts(members)),
    ...optional('software_id', readText(members, 'software_id')),
    ...optional('software_version', readText(members, 'software_version')),
    ...optional('dpop_bound_access_tokens', readFlag(members, 'dpop_bound_access_tokens')),
    ...optional(
      'tls_client_certificate_bound_access_tokens', readFlag(members, 'tls_client_certificate_bound_access_tokens')),
    ...readKeyMembers(members, method),
    ...readCertificateMembers(members, method)
  }
}

function readMembers (input: unknown): Members {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw refusal('client metadata must be a JSON object')
  }
  return new Map(Object.entries(input).filter(([, value]) => value !== null && value !== ''))
}

function readMethod (
  members: Members, { certificates = false }: ClientMetadataRules
): ClientAuthenticationMethod | undefined {
  const offered = certificates ? [...METHODS, ...CERTIFICATE_METHODS] : METHODS
  return readChoice<ClientAuthenticationMethod>(members, 'token_endpoint_auth_method', offered)
}

/** Without the grant of the code or of devices nothing works (AS-R3). */
function readGrantTypes (members: Members, { deviceAuthorization = false }: ClientMetadataRules): string[] {
  const offered = deviceAuthorization ? [...GRANT_TYPES, DEVICE_GRANT] : GRANT_TYPES
  const asked = readStrings(members, 'grant_types', MAX_LIST)
  return deviceAuthorization && asked?.includes(DEVICE_GRANT) === true
    ? offered.filter((grantType) => asked.includes(grantType))
    : readOffered(members, 'grant_types', offered, CODE_GRANT)
}

/** Who does not use the code flow needs none. */
function readRedirectUris (members: Members, schemes: readonly string[], grantTypes: readonly string[]): string[] {
  const uris = readStrings(members, 'redirect_uris', MAX_REDIRECT_URIS, badRedirect)
  if (uris === undefined || uris.length === 0) {
    if (!grantTypes.includes(CODE_GRANT)) return []
    throw badRedirect('redirect_uris must hold at least one URI')
  }
  return uris.map((uri) => readRedirectUri(uri, { schemes }))
}

/** Whether a redirect URI that was read is https and not on the user's own machine. */
export function isWebRedirect (uri: string): boolean {
  const { protocol, hostname } = new URL(uri)
  return protocol === 'https:' && !isLoopbackHost(hostname)
}

/** OpenID Connect Registration §2: a web application has https URIs that are not on the user's own machine. */
function assertWebRedirects (uris: readonly string[]): void {
  if (!uris.every(isWebRedirect)) throw badRedirect('redirect_uris of a web application must be https and not on loopback')
}

/** What we offer of what was asked for; without the grant and response type of the code flow nothing works (AS-R3). */
function readOffered<T extends string> (members: Members, name: string, offered: readonly T[], needed: T): T[] {
  const asked = readStrings(members, name, MAX_LIST)
  if (asked === undefined) return [needed]
  if (!asked.includes(needed)) throw refusal(`${name} must include ${needed}`)
  return offered.filter((value) => asked.includes(value))
}

function readChoice<T extends string> (members: Members, name: string, choices: readonly T[]): T | undefined {
  const value = members.get(name)
  if (value === undefined) return undefined
  const choice = choices.find((candidate) => candidate === value)
  if (choice === undefined) throw refusal(`${name} must be one of ${choices.join(', ')}`)
  return choice
}

function readFlag (members: Members, name: string): boolean | undefined {
  const value = members.get(name)
  if (value === undefined || typeof value === 'boolean') return value
  throw refusal(`${name} must be true or false`)
}

function readText (members: Members, name: string, max = MAX_TEXT): string | undefined {
  const value = members.get(name)
  if (value === undefined) return undefined
  if (!isText(value, max)) throw refusal(`${name} must be text of at most ${max} characters`)
  return value
}

function readUri (members: Members, name: string): string | undefined {
  const uri = readText(members, name, MAX_URI)
  if (uri === undefined) return undefined
  const url = URL.canParse(uri) ? new URL(uri) : null
  const safe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopbackHost(url.hostname))
  if (!safe) throw refusal(`${name} must be an https URL`)
  return uri
}

/** Not a ceiling of what the client may ask for later (AS-R8). */
function readScopes (members: Members): string | undefined {
  const scope = members.get('scope')
  if (scope === undefined) return undefined
  if (typeof scope !== 'string') throw refusal('scope must be a string')
  try {
    return readScope(scope).join(' ')
  } catch (cause) {
    throw refusal('scope must be scope tokens with single spaces between them', cause)
  }
}

function readContacts (members: Members): string[] | undefined {
  const contacts = readStrings(members, 'contacts', MAX_CONTACTS)
  return contacts?.length === 0 ? undefined : contacts
}

function readStrings (members: Members, name: string, max: number, refuse = refusal): string[] | undefined {
  const list = members.get(name)
  if (list === undefined) return undefined
  if (!Array.isArray(list) || list.length > max) throw refuse(`${name} must be a list of at most ${max} strings`)
  return list.map((item: unknown) => {
    if (!isText(item, MAX_URI)) throw refuse(`${name} must hold strings of at most ${MAX_URI} characters`)
    return item
  })
}

function isText (value: unknown, max: number): value is string {
  return typeof value === 'string' && value.length <= max && !hasControlCharacters(value) && isWellFormed(value)
}

function optional<K extends string, V> (name: K, value: V | undefined): { readonly [name in K]?: V } {
  const members: { [name in K]?: V } = {}
  if (value !== undefined) members[name] = value
  return members
}

function refusal (description: string, cause?: unknown): OAuthError {
  return new OAuthError({ code: 'invalid_client_metadata', description, cause })
}

function badRedirect (description: string): OAuthError {
  return new OAuthError({ code: 'invalid_redirect_uri', description })
}
