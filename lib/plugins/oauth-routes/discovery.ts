import type { FastifyInstance } from 'fastify'
import { buildResourceMetadata } from '../../protocol/resource-metadata.js'
import { buildServerMetadata } from '../../protocol/server-metadata.js'
import { pathOf, serverMetadataPaths } from '../../protocol/well-known.js'
import { serveBelow, type Documents } from '../support/documents.js'
import { serveResourceMetadata } from '../support/resource-documents.js'
import type { OAuthContext } from './context.js'

const SERVER = '/.well-known/oauth-authorization-server'
const OPENID = '/.well-known/openid-configuration'
const NO_DOCUMENTS: Documents = new Map()

/**
 * The documents that clients find us by: resource metadata (RFC 9728) and server metadata (RFC 8414) at the path form
 * and at the root, the public keys. Built when the tags of components change and not before, the same for everybody,
 * whatever `Host` says (RS-8).
 */
export function discovery (scope: FastifyInstance, context: OAuthContext): void {
  const { issuer, resource, resourceName, model, defaultScopes, tokens } = context
  const { registration, documents, pushed, endpoints, store, sender, components, advertisedTags } = context
  const ofResource = (): string => JSON.stringify(buildResourceMetadata({
    resource, issuers: [issuer], scopes: [...defaultScopes, ...advertisedTags()], name: resourceName, sender
  }))
  const ofServer = (): string => JSON.stringify(buildServerMetadata({
    issuer,
    scopes: [...model.names, ...advertisedTags()],
    grantTypes: [...tokens.grantTypes.keys()],
    registration,
    clientDocuments: documents !== null,
    pushedRequests: pushed?.mode ?? 'off',
    sender,
    endpoints
  }))
  const byPath = new Map([[endpoints.jwks.path, store.keyring.jwks]])
  const describeServer = (): void => { for (const path of serverMetadataPaths(issuer)) byPath.set(path, ofServer()) }
  describeServer()
  const replaceResource = serveResourceMetadata(scope, resource, ofResource())
  components.onReplace(() => {
    describeServer()
    replaceResource(ofResource())
  })
  for (const base of [SERVER, endpoints.jwks.path]) serveBelow(scope, base, byPath)
  // Not served, and a host may have its own there: RFC 8414 §3.1 names both places of an issuer with a path.
  for (const base of new Set([OPENID, pathOf(issuer) + OPENID])) {
    if (!scope.hasRoute({ method: 'GET', url: base })) serveBelow(scope, base, NO_DOCUMENTS)
  }
}
