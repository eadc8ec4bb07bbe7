import type { FastifyInstance } from 'fastify'
import { buildResourceMetadata } from '../../protocol/resource-metadata.js'
import { buildServerMetadata } from '../../protocol/server-metadata.js'
import { pathOf } from '../../protocol/well-known.js'
import { serveBelow, type Documents } from '../support/documents.js'
import { serveResourceMetadata } from '../support/resource-documents.js'
import { serveServerMetadata } from '../support/server-documents.js'
import type { OAuthContext } from './context.js'
import type { OAuthResource } from './resources.js'

const OPENID = '/.well-known/openid-configuration'
const NO_DOCUMENTS: Documents = new Map()

/** Those on other origins are found there. */
function servedHere ({ origin, resources: [first, ...others] }: OAuthContext): OAuthResource[] {
  const origins = [origin, new URL(first.resource).origin]
  return [first, ...others.filter(({ resource }) => origins.includes(new URL(resource).origin))]
}

function serveResource (scope: FastifyInstance, one: OAuthResource, issuer: string): void {
  const { resource, name, defaultScopes, advertisedTags, sender } = one
  const document = (): string => JSON.stringify(buildResourceMetadata({
    resource, issuers: [issuer], scopes: [...defaultScopes, ...advertisedTags()], name, sender
  }))
  const replace = serveResourceMetadata(scope, { resource, issuer, document: document() })
  one.components.onReplace(() => { replace(document()) })
}

/**
 * The documents that clients find us by: resource metadata (RFC 9728) and server metadata (RFC 8414) at the path form
 * and at the root, the public keys. Built when tags or keys change and not before, the same for everybody, whatever
 * `Host` says (RS-8).
 */
export function discovery (scope: FastifyInstance, context: OAuthContext): void {
  const { issuer, resources, model, registration, documents, pushed, endpoints, store, tokens, grantProfiles } = context
  const { certificateOrigin } = context
  const ofServer = (): string => JSON.stringify(buildServerMetadata({
    issuer,
    scopes: [...new Set([...model.names, ...resources.flatMap((one) => one.advertisedTags())])],
    grantTypes: [...tokens.grantTypes.keys()],
    grantProfiles,
    registration,
    clientDocuments: documents !== null,
    pushedRequests: pushed?.mode ?? 'off',
    sender: resources[0].sender,
    detailTypes: context.detailTypes.names,
    ...(certificateOrigin === null ? {} : { certificateOrigin }),
    signingAlgorithm: store.keyring.current.algorithm,
    endpoints
  }))
  const { keyring } = store
  const { path: keysPath } = endpoints.jwks
  const keySet = new Map<string, string>()
  const describeKeys = (): void => { keySet.set(keysPath, keyring.jwks) }
  describeKeys()
  keyring.onChange(describeKeys)
  const replaceServer = serveServerMetadata(scope, issuer, ofServer())
  for (const resource of resources) resource.components.onReplace(() => { replaceServer(ofServer()) })
  for (const resource of servedHere(context)) serveResource(scope, resource, issuer)
  serveBelow(scope, keysPath, keySet, keyring.maxAge)
  // Not served, and a host may have its own there: RFC 8414 §3.1 names both places of an issuer with a path.
  for (const base of new Set([OPENID, pathOf(issuer) + OPENID])) {
    if (!scope.hasRoute({ method: 'GET', url: base })) serveBelow(scope, base, NO_DOCUMENTS)
  }
}
