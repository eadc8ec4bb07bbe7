import { InvalidOptionError } from '../errors.js'
import { readRedirectUri } from '../protocol/redirect-uri.js'
import { assertResource } from '../protocol/resource-uri.js'
import { readScope } from '../protocol/scopes.js'
import type { Client, ClientAuthenticationMethod, StaticClient } from '../../types/oauth.js'
import { readStaticCredentials } from './static-credentials.js'

// Unreserved characters only (RFC 3986 §2.3): then it does not matter whether a client form-encodes them for Basic,
// as RFC 6749 §2.3.1 says, or leaves that out, as the SDKs do (AS-T3).
const CLIENT_ID = /^[\w.~-]{1,200}$/
const DEFAULT_GRANT_TYPES = ['authorization_code', 'refresh_token']

/**
 * The operator's clients by their id. Secrets are kept as digests. Grant types are `authorization_code` and
 * `refresh_token` unless named; the method is the one that fits what is given, unless named.
 * Any private-use redirect scheme may be named here, since the operator does it (AS-A4); script schemes never.
 *
 * @throws {InvalidOptionError} whose message starts with the path of the option that is wrong: `clients[0].secret`.
 */
export function readStaticClients (statics: readonly StaticClient[]): ReadonlyMap<string, Client> {
  const clients = new Map<string, Client>()
  for (const [index, input] of statics.entries()) {
    const path = `clients[${index}]`
    if (clients.has(input.clientId)) throw new InvalidOptionError(`${path}.clientId is used twice`)
    clients.set(input.clientId, readStaticClient(input, path))
  }
  return clients
}

/** @throws {InvalidOptionError} whose message starts with `path` and the member that is wrong. */
export function readStaticClient (input: StaticClient, path: string): Client {
  if (!CLIENT_ID.test(input.clientId)) {
    throw new InvalidOptionError(`${path}.clientId must be 1 to 200 of A-Z a-z 0-9 - . _ ~`)
  }
  const { method, secretDigests, members } = readStaticCredentials(input, path)
  return {
    clientId: input.clientId,
    metadata: {
      redirect_uris: readRedirectUris(input, path),
      token_endpoint_auth_method: method,
      grant_types: readGrantTypes(input, method, path),
      response_types: usesBrowser(input) ? ['code'] : [],
      ...(input.name === undefined ? {} : { client_name: input.name }),
      ...(input.scope === undefined ? {} : { scope: readCeiling(input.scope, path) }),
      ...(input.dpopBoundAccessTokens === true ? { dpop_bound_access_tokens: true } : {}),
      ...(input.certificateBoundAccessTokens === true ? { tls_client_certificate_bound_access_tokens: true } : {}),
      ...members
    },
    secretDigests,
    authenticationMethods: [method],
    origin: 'static',
    ...readIntrospects(input, method, path),
    issuedAt: 0
  }
}

/** A resource server that names no grant types is no client: it only asks about tokens. */
const grantTypesOf = ({ grantTypes, introspects, redirectUris }: StaticClient): readonly string[] =>
  grantTypes ?? (introspects !== undefined && redirectUris === undefined ? [] : DEFAULT_GRANT_TYPES)

const usesBrowser = (client: StaticClient): boolean => grantTypesOf(client).includes('authorization_code')

function readIntrospects (
  { introspects }: StaticClient, method: ClientAuthenticationMethod, path: string
): Pick<Client, 'introspects'> {
  if (introspects === undefined) return {}
  if (method === 'none') throw new InvalidOptionError(`${path}.introspects cannot be given without a secret or key`)
  for (const [index, resource] of introspects.entries()) {
    checked(`${path}.introspects[${index}]`, () => { assertResource(resource) })
  }
  return { introspects }
}

/** A client that acts for itself has to show who it is, and the operator has to say what it may do (AS-T11). */
function readGrantTypes (
  client: StaticClient, method: ClientAuthenticationMethod, path: string
): readonly string[] {
  const grantTypes = grantTypesOf(client)
  if (!grantTypes.includes('client_credentials')) return grantTypes
  if (method === 'none') throw new InvalidOptionError(`${path}.grantTypes must not contain client_credentials without a secret or key`)
  if (client.scope === undefined) throw new InvalidOptionError(`${path}.scope is needed by grant type client_credentials`)
  return grantTypes
}

function readRedirectUris (client: StaticClient, path: string): readonly string[] {
  const { redirectUris = [] } = client
  if (!usesBrowser(client)) {
    if (redirectUris.length === 0) return []
    throw new InvalidOptionError(`${path}.redirectUris contradicts grantTypes without authorization_code`)
  }
  if (redirectUris.length === 0) throw new InvalidOptionError(`${path}.redirectUris is needed by grant type authorization_code`)
  for (const [index, uri] of redirectUris.entries()) {
    const schemes = [uri.slice(0, uri.indexOf(':')).toLowerCase()]
    checked(`${path}.redirectUris[${index}]`, () => readRedirectUri(uri, { schemes }))
  }
  return redirectUris
}

function readCeiling (scope: string, path: string): string {
  const scopes = checked(`${path}.scope`, () => readScope(scope))
  if (scopes.length === 0) throw new InvalidOptionError(`${path}.scope must name a scope or be left out`)
  return scopes.join(' ')
}

function checked<T> (path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new InvalidOptionError(`${path} is not valid: ${String(error)}`)
  }
}
