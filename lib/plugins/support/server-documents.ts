import type { FastifyInstance } from 'fastify'
import { InvalidOptionError } from '../../errors.js'
import { serverMetadataPaths } from '../../protocol/well-known.js'
import type { RecordStore } from '../../../types/stores.js'
import { serveBelow } from './documents.js'
import type { ReplaceDocument } from './resource-documents.js'

const BASE = '/.well-known/oauth-authorization-server'

interface Served {
  readonly documents: Map<string, string>
  /** The issuers by the path that is theirs alone. */
  readonly issuers: Map<string, string>
}

// The scopes of an app cannot see each other, but they have one server.
const byServer = new WeakMap<object, Served>()

/**
 * Serves the metadata of an issuer (RFC 8414 §3.1, AS-M3) at its path form. An app may have several issuers: all of
 * them are served below one place, by the routes of the first. The root belongs to the issuer at the root, and is
 * another place for one that is alone; of several none is there, since a client that looks nowhere else would be sent
 * to somebody else's server. Answers how to put a newer document in its place.
 * @throws {InvalidOptionError} when an issuer with this path has its metadata already.
 */
export function serveServerMetadata (scope: FastifyInstance, issuer: string, document: string): ReplaceDocument {
  const known = byServer.get(scope.server)
  const { documents, issuers } = known ?? { documents: new Map<string, string>(), issuers: new Map<string, string>() }
  const [own = BASE] = serverMetadataPaths(issuer)
  if (issuers.has(own)) {
    throw new InvalidOptionError(`issuer ${issuer} has its metadata already: of issuers with one path only one can have it`)
  }
  issuers.set(own, issuer)
  const put: ReplaceDocument = (next) => {
    documents.set(own, next)
    if (issuers.has(BASE)) return
    if (issuers.size === 1) documents.set(BASE, next)
    else documents.delete(BASE)
  }
  put(document)
  if (known === undefined) {
    byServer.set(scope.server, { documents, issuers })
    serveBelow(scope, BASE, documents)
  }
  return put
}

const byStore = new WeakMap<object, Map<string, string>>()

/**
 * Keeps two issuers of one process from having the same keys, clients and users.
 * @throws {InvalidOptionError} when another issuer has this tenant of the store.
 */
export function assertOwnTenant (
  { records, tenant }: { readonly records: RecordStore, readonly tenant: string }, issuer: string
): void {
  const issuers = byStore.get(records) ?? new Map<string, string>()
  const other = issuers.get(tenant)
  if (other !== undefined && other !== issuer) {
    throw new InvalidOptionError(`tenant must differ: in this store it is that of issuer ${other} already`)
  }
  byStore.set(records, issuers.set(tenant, issuer))
}
