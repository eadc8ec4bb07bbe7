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
}

// The scopes of an app cannot see each other, but they have one server.
const byServer = new WeakMap<object, Served>()

/** Puts a newer document of the same resource in the place of the one that is served. */
export type ReplaceDocument = (next: string) => void

/**
 * Serves the metadata of a resource (RFC 9728 §3.1, RS-2) at its path form. An app may have several resources: all of
 * them are served below one place, by the routes of the first. The root belongs to the resource at the root, and
 * without one to the resource that came first, as another place for it.
 * Answers how to put a newer document in its place.
 * @throws {InvalidOptionError} when a resource with this path has its metadata already.
 */
export function serveResourceMetadata (
  scope: FastifyInstance, resource: string, document: string
): ReplaceDocument {
  const known = byServer.get(scope.server)
  const { documents, owned } = known ?? { documents: new Map<string, string>(), owned: new Set<string>() }
  const [own = BASE] = resourceMetadataPaths(resource)
  if (owned.has(own)) {
    throw new InvalidOptionError(`resource ${resource} has its metadata already: of resources with one path only one can have it`)
  }
  owned.add(own)
  documents.set(own, document)
  if (!documents.has(BASE)) documents.set(BASE, document)
  if (known === undefined) {
    byServer.set(scope.server, { documents, owned })
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
