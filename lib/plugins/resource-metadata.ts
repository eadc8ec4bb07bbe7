import { Type } from '@sinclair/typebox'
import type { FastifyPluginAsync } from 'fastify'
import type { ResourceMetadataOptions } from '../../types/resource-metadata.js'
import { InvalidOptionError } from '../errors.js'
import { senderMembers } from '../guard-options.js'
import { assertOptions } from '../options.js'
import { buildResourceMetadata } from '../protocol/resource-metadata.js'
import { assertResource } from '../protocol/resource-uri.js'
import { isScopeToken } from '../protocol/scopes.js'
import { assertForeignIssuer } from '../tokens/foreign-options.js'
import { inOption } from './support/in-option.js'
import { sharedLivePolicy } from './support/live-policy.js'
import { serveResourceMetadata } from './support/resource-documents.js'
import { senderMetadataOf } from './support/sender-metadata.js'

const url = Type.String({ minLength: 1, maxLength: 2048 })

const schema = Type.Object({
  resource: url,
  authorizationServers: Type.Array(url, { minItems: 1, maxItems: 100 }),
  scopes: Type.Optional(Type.Array(Type.String(), { maxItems: 100 })),
  resourceName: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  ...senderMembers
}, { additionalProperties: false })

function assertConsistent (options: ResourceMetadataOptions): void {
  assertOptions(schema, options)
  inOption('resource ', () => { assertResource(options.resource) })
  options.authorizationServers.forEach((issuer, index) => { assertForeignIssuer(issuer, `authorizationServers.${index}`) })
  options.scopes?.forEach((scope, index) => {
    if (!isScopeToken(scope)) throw new InvalidOptionError(`scopes.${index} must be a scope without blanks`)
    if (scope === 'offline_access') throw new InvalidOptionError(`scopes.${index} is between the client and its server`)
  })
}

/**
 * Says whose tokens are good here (RFC 9728, RS-1 to RS-8), for servers that are no authorization server themselves:
 * the document that every challenge of `scopeGuard` names, at the path form and at the root, public, open to every
 * origin, built once and the same for everybody whatever `Host` says. `oauthRoutes` serves its own: do not register
 * both for one resource.
 *
 * An app may have several resources, each with its own registration and its own guarded scope. Each has its document
 * at its path form, which is what challenges name; the root has the one of the resource at the root, and without one
 * that of the first, for clients that look there only.
 *
 * ```ts
 * await app.register(resourceMetadata, {
 *   resource: 'https://mcp.example.com/mcp',
 *   authorizationServers: ['https://login.example.com/realms/staff']
 * })
 * ```
 *
 * Names the tags of the `scopeGuard` of the same resource besides `scopes`, as they are at the moment.
 *
 * Verifies nothing: which tokens are taken says `scopeGuard`'s option `verifier`.
 *
 * @throws {InvalidOptionError} `MCPS_ERR_INVALID_OPTION` at boot; the message starts with the option's path.
 */
export const resourceMetadata: FastifyPluginAsync<ResourceMetadataOptions> = async (fastify, options) => {
  if (fastify.prefix !== '') {
    throw new InvalidOptionError('prefix cannot be given to resourceMetadata: the document lives at the root')
  }
  assertConsistent(options)
  const { resource, authorizationServers: issuers, scopes = [], resourceName: name } = options
  const sender = senderMetadataOf(options)
  const document = (tags: readonly string[]): string => JSON.stringify(buildResourceMetadata({
    resource, issuers, scopes: [...new Set([...scopes, ...tags])], name, sender
  }))
  const replace = serveResourceMetadata(fastify, { resource, document: document([]) })
  // The guard may be registered later, and in another scope.
  fastify.addHook('onReady', async () => {
    const components = sharedLivePolicy(fastify.server, resource)
    if (components === undefined) return
    const follow = (): void => { replace(document(components.advertised())) }
    components.onReplace(follow)
    follow()
  })
}
export default resourceMetadata
export type { ResourceMetadataOptions } from '../../types/resource-metadata.js'
