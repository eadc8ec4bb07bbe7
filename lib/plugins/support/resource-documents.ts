import type { FastifyInstance } from 'fastify'
import { InvalidOptionError } from '../../errors.js'
import { resourceMetadataPaths } from '../../protocol/well-known.js'
import { serveBelow } from './documents.js'

const BASE = '/.well-known/oauth-protected-resource'

interface Served {
  /** By path: what stands there. */
  readonly documents: Map<string, string>
  /** Paths that are some resource's own, not only another place for it. */
  readonly owned: Set<string>
  /** Of this app, whose tokens are good at one of them. */
  readonly issuers: Set<string>
}

// The scopes of an app cannot see each other, but they have one server.
const byServer = new WeakMap<object, Served>()

/** Puts a newer document of the same resource in the place of the one that is served. */
export type ReplaceDocument = (next: string) => void

export interface ResourceDocument {
  readonly resource: string
  readonly document: string
  /** Whose tokens are good there, when this app issues them. */
  readonly issuer?: string
}

/**
 * Serves the metadata of a resource (RFC 9728 §3.1, RS-2) at its path form. An app may have several resources: all of
 * them are served below one place, by the routes of the first. The root belongs to the resource at the root, and
 * without one to the resource that came first, as another place for it. Where the app has several issuers none is
 * there, since a client that looks nowhere else would be sent to somebody else's server.
 * Answers how to put a newer document in its place.
 * @throws {InvalidOptionError} when a resource with this path has its metadata already.
 */
export function serveResourceMetadata (scope: FastifyInstance, input: ResourceDocument): ReplaceDocument {
  const { resource, issuer } = input
  const known = byServer.get(scope.server)
  const served = known ?? { documents: new Map<string, string>(), owned: new Set<string>(), issuers: new Set<string>() }
  const { documents, owned, issuers } = served
  const [own = BASE] = resourceMetadataPaths(resource)
  if (owned.has(own)) {
    throw new InvalidOptionError(`resource ${resource} has its metadata already: of resources with one path only one can have it`)
  }
  owned.add(own)
  if (issuer !== undefined) issuers.add(issuer)
  let { document } = input
  documents.set(own, document)
  if (!documents.has(BASE)) documents.set(BASE, document)
  if (issuers.size > 1 && !owned.has(BASE)) documents.delete(BASE)
  if (known === undefined) {
    byServer.set(scope.server, served)
    serveBelow(scope, BASE, documents)
  }
  return (next) => {
    for (const path of [own, BASE]) {
      // The root may be another resource's place by now.
      if (documents.get(path) === document) documents.set(path, next)
    }
    document = next
  }
}
