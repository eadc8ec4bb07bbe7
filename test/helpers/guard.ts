import type { ComponentRule, ScopeCatalogue } from '../../types/access.js'
import type { ScopeGuardOptions } from '../../types/options.js'
import type { Principal, TokenVerifier } from '../../types/principal.js'
import { grantedTags } from '../../lib/protocol/tags.js'
import { InvalidTokenError } from '../../lib/tokens/errors.js'
import { stoppedClock } from './clock.js'

export const ISSUER = 'https://mcp.example.com'
export const RESOURCE = 'https://mcp.example.com/mcp'
export const METADATA = 'https://mcp.example.com/.well-known/oauth-protected-resource/mcp'

export const SCOPES: ScopeCatalogue = {
  'notes:read': 'Read your notes',
  'notes:write': { title: 'Change your notes', implies: ['notes:read'] },
  profile: 'See your name',
  admin: { title: 'Everything', implies: ['notes:write', 'profile'] }
}

export const COMPONENTS: readonly ComponentRule[] = [
  { tool: 'whoami', scopes: [] },
  { tool: 'search', scopes: ['notes:read'] },
  { tool: 'delete', scopes: ['notes:write', 'profile'], destructive: true },
  { prompt: 'summary', scopes: ['notes:read'] },
  { resource: 'notes://all', scopes: ['notes:read'] }
]

/** Somebody with these scopes, for `RESOURCE`, until long after the stopped clock's second. */
export function principalWith (scopes: readonly string[], more: Partial<Principal> = {}): Principal {
  return Object.freeze({
    subject: 'user-1',
    clientId: 'client-1',
    tenant: 'default',
    issuer: ISSUER,
    resource: RESOURCE,
    scopes: Object.freeze([...scopes]),
    tags: grantedTags(scopes),
    roles: [],
    grantId: 'grant-1',
    credential: 'access-token',
    confirmation: null,
    authenticatedAt: 1_700_000_000,
    acr: null,
    amr: [],
    expiresAt: 1_700_000_900,
    claims: {},
    ...more
  })
}

/** What a token is worth: somebody, or what the verifier throws. */
export type Tokens = Readonly<Record<string, Principal | Error>>

/** The usual callers. */
export const TOKENS: Tokens = {
  reader: principalWith(['notes:read']),
  writer: principalWith(['notes:write']),
  admin: principalWith(['admin']),
  nobody: principalWith([])
}

/** Knows these tokens and no other; remembers those that `recalled` names. */
export function verifierOf (tokens: Tokens, recalled: readonly string[] = []): TokenVerifier {
  const known = new Map(Object.entries(tokens))
  return {
    recall (token) {
      const found = recalled.includes(token) ? known.get(token) : undefined
      return found instanceof Error ? undefined : found
    },
    async verify (token) {
      const found = known.get(token) ?? new InvalidTokenError('unknown token')
      if (found instanceof Error) throw found
      return found
    }
  }
}

export function guardOptions (
  more: Partial<ScopeGuardOptions> = {}
): ScopeGuardOptions & { readonly issuer: string } {
  return {
    issuer: ISSUER,
    resource: RESOURCE,
    scopes: SCOPES,
    defaultScopes: ['notes:read'],
    components: COMPONENTS,
    verifier: verifierOf(TOKENS),
    clock: stoppedClock(),
    ...more
  }
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** A JSON-RPC request. */
export const call = (method: string, params: unknown = {}, id: number | string = 1) => ({ jsonrpc: '2.0', id, method, params })

export const callTool = (name: string, id?: number) => call('tools/call', { name, arguments: {} }, id)
