import type { FastifyInstance } from 'fastify'
import { OAuthError } from '../../protocol/oauth-error.js'
import { buildResourceMetadata } from '../../protocol/resource-metadata.js'
import { buildServerMetadata } from '../../protocol/server-metadata.js'
import { pathOf, resourceMetadataPaths, serverMetadataPaths } from '../../protocol/well-known.js'
import { answerPreflights } from '../support/open-cors.js'
import { refuseOtherMethods } from '../support/other-methods.js'
import { answerOAuthErrors } from './oauth-errors.js'
import type { OAuthContext } from './context.js'

const CONFIG = { mcpSecurity: { public: true }, mcpCors: 'public' } as const
const RESOURCE = '/.well-known/oauth-protected-resource'
const SERVER = '/.well-known/oauth-authorization-server'
const OPENID = '/.well-known/openid-configuration'
const METHODS = ['GET', 'HEAD', 'OPTIONS']
const errorHandler = answerOAuthErrors('request.refused')

/** JSON text by path, without a slash at the end. */
type Documents = ReadonlyMap<string, string>

const NO_DOCUMENTS: Documents = new Map()

const withoutSlash = (path: string): string => path.endsWith('/') ? path.slice(0, -1) : path

/**
 * Serves what there is at `base` and below it, with or without a slash at the end; for everything else below it a
 * plain 404 as JSON, which makes clients try the next place, where a page or a redirect would confuse them (AS-M3).
 */
function serveBelow (scope: FastifyInstance, base: string, documents: Documents): void {
  for (const url of [base, `${base}/*`]) {
    scope.get<{ Params: { '*'?: string } }>(url, { exposeHeadRoute: true, config: CONFIG, errorHandler },
      async (request, reply) => {
        const path = request.params['*']
        const document = documents.get(withoutSlash(path === undefined ? base : `${base}/${path}`))
        if (document === undefined) {
          throw new OAuthError({ code: 'invalid_request', description: 'there is no such document', reason: 'no such document', status: 404 })
        }
        return await reply.headers({
          'content-type': 'application/json; charset=utf-8',
          'cache-control': 'public, max-age=3600'
        }).send(document)
      })
    answerPreflights(scope, url)
    refuseOtherMethods(scope, { url, allow: METHODS, config: CONFIG, errorHandler })
  }
}

/**
 * The documents that clients find us by: resource metadata (RFC 9728) and server metadata (RFC 8414) at the path form
 * and at the root, the public keys. Built once, the same for everybody, whatever `Host` says (RS-8).
 */
export function discovery (scope: FastifyInstance, context: OAuthContext): void {
  const { issuer, resource, resourceName, model, defaultScopes, registration, endpoints, store } = context
  const ofResource = JSON.stringify(buildResourceMetadata({
    resource, issuer, scopes: defaultScopes, name: resourceName
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
