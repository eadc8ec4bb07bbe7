import type { Principal } from '../../types/principal.js'

/** Of nobody: no issuer has such a name, so an anonymous principal never owns what a user of the same name does. */
const NO_ISSUER = 'urn:mcp-security:anonymous'

/**
 * Whoever sends a request while authentication is off: a principal like every other, with what local policy names and
 * no more. All anonymous requests are of one principal. Frozen.
 */
export function buildAnonymous (input: {
  readonly resource: string
  readonly tenant: string
  readonly scopes: readonly string[]
  readonly tags: readonly string[]
  readonly roles?: readonly string[]
  readonly subject?: string
}): Principal {
  const { resource, tenant, scopes, tags, roles = [], subject = null } = input
  return Object.freeze({
    subject,
    clientId: 'anonymous',
    tenant,
    issuer: NO_ISSUER,
    resource,
    scopes: Object.freeze([...scopes]),
    tags: Object.freeze([...tags]),
    roles: Object.freeze([...roles]),
    grantId: null,
    credential: 'anonymous',
    confirmation: null,
    authenticatedAt: null,
    acr: null,
    amr: Object.freeze([]),
    expiresAt: null,
    claims: Object.freeze({})
  })
}
