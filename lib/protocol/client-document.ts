import type { ClientMetadata } from '../../types/oauth.js'
import { readClientMetadata, type ClientMetadataRules } from './client-metadata.js'
import { OAuthError } from './oauth-error.js'

/** An id is an index value of its grants, which stores bound. */
const MAX_LENGTH = 512
/** Everybody can read a document: what it holds can show who a client is by its public keys only (PX-17). */
const METHODS: readonly unknown[] = ['none', 'private_key_jwt']
const FORBIDDEN = ['client_secret', 'client_secret_expires_at']

/** Whether a client id names a document (client ID metadata documents §3). No id of ours begins like that (AS-R5). */
export function isClientIdUrl (clientId: string): boolean {
  return clientId.startsWith('https://')
}

/**
 * Reads a client id that is a URL (PX-10): https, a path, no user, no fragment, no dot segments, and spelled as a URL
 * parser spells it, so that one client has one id.
 * @throws {OAuthError} `invalid_client`, for a page
 */
export function readClientIdUrl (clientId: string): URL {
  if (clientId.length > MAX_LENGTH || !URL.canParse(clientId)) throw unknownClient('client id is no URL')
  const url = new URL(clientId)
  if (url.protocol !== 'https:') throw unknownClient('client id is not https')
  if (url.username !== '' || url.password !== '') throw unknownClient('client id holds a user')
  if (clientId.includes('#')) throw unknownClient('client id has a fragment')
  if (url.pathname === '/') throw unknownClient('client id has no path')
  // A parser has resolved dot segments, lower-cased the host and left the default port out.
  if (url.href !== clientId) throw unknownClient('client id is not in its normal form')
  return url
}

/**
 * Reads what a client says of itself in the document at its id (PX-14): that it is its own, who it is, where it is sent
 * back to. No secret, and no method that needs one: everybody can read it. A document that names no grant types means
 * those of the code flow with refresh (AS-T10). Does *not* make anything but the host of the URL trustworthy (AS-C1).
 * @throws {OAuthError} `invalid_client`, for a page; why is in `reason` only (PX-15)
 */
export function readClientDocument (
  document: unknown, { clientId, ...rules }: ClientMetadataRules & { readonly clientId: string }
): ClientMetadata {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw unknownClient('client document is no object')
  }
  const said: Readonly<Record<string, unknown>> = { ...document }
  if (said['client_id'] !== clientId) throw unknownClient('client document of another client')
  if (FORBIDDEN.some((name) => Object.hasOwn(said, name))) throw unknownClient('client document with a secret')
  const { client_name: name, token_endpoint_auth_method: method = 'none' } = said
  if (typeof name !== 'string' || name.trim() === '') throw unknownClient('client document without a name')
  if (!METHODS.includes(method)) throw unknownClient('client document with a method that is not offered')
  const { grant_types: grantTypes = ['authorization_code', 'refresh_token'] } = said
  try {
    return readClientMetadata({ ...said, token_endpoint_auth_method: method, grant_types: grantTypes }, rules)
  } catch (cause) {
    throw unknownClient('client document is not valid', cause)
  }
}

/** The same for everybody, whatever was wrong: whoever chose the URL learns nothing about what is there (PX-15). */
export function unknownClient (reason: string, cause?: unknown): OAuthError {
  return new OAuthError({
    code: 'invalid_client', description: 'the application is not known here', status: 400, reason, cause
  })
}
