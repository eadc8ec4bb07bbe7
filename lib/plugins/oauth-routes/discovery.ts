import type { FastifyInstance } from 'fastify'
import { buildResourceMetadata } from '../../protocol/resource-metadata.js'
import { buildServerMetadata } from '../../protocol/server-metadata.js'
import { pathOf, resourceMetadataPaths, serverMetadataPaths } from '../../protocol/well-known.js'
import { serveBelow, type Documents } from '../support/documents.js'
import type { OAuthContext } from './context.js'

const RESOURCE = '/.well-known/oauth-protected-resource'
const SERVER = '/.well-known/oauth-authorization-server'
const OPENID = '/.well-known/openid-configuration'
const NO_DOCUMENTS: Documents = new Map()

/**
 * The documents that clients find us by: resource metadata (RFC 9728) and server metadata (RFC 8414) at the path form
 * and at the root, the public keys. Built once, the same for everybody, whatever `Host` says (RS-8).
 */
export function discovery (scope: FastifyInstance, context: OAuthContext): void {
  const { issuer, resource, resourceName, model, defaultScopes, registration, endpoints, store } = context
  const ofResource = JSON.stringify(buildResourceMetadata({
    resource, issuers: [issuer], scopes: defaultScopes, name: resourceName
  }))
  const ofServer = JSON.stringify(buildServerMetadata({ issuer, scopes: model.names, registration, endpoints }))
  const documents = new Map([
    ...resourceMetadataPaths(resource).map((path) => [path, ofResource] as const),
    ...serverMetadataPaths(issuer).map((path) => [path, ofServer] as const),
    [endpoints.jwks.path, store.keyring.jwks] as const
  ])
  for (const base of [RESOURCE, SERVER, endpoints.jwks.path]) serveBelow(scope, base, documents)
  // Not served, and a host may have its own there: RFC 8414 §3.1 names both places of an issuer with a path.
  for (const base of new Set([OPENID, pathOf(issuer) + OPENID])) {
    if (!scope.hasRoute({ method: 'GET', url: base })) serveBelow(scope, base, NO_DOCUMENTS)
  }
}
