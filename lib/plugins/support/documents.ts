import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { PUBLIC_CORS } from '../../protocol/cors.js'
import { OAuthError } from '../../protocol/oauth-error.js'
import { answerPreflights } from './open-cors.js'
import { refuseOtherMethods } from './other-methods.js'
import { recordEvent } from './record-event.js'
import { refusalOf } from './refusal.js'
import { sayWhenToRetry } from './retry-after.js'

/** JSON text by path, without a slash at the end. */
export type Documents = ReadonlyMap<string, string>

const CONFIG = { mcpSecurity: { public: true }, mcpCors: 'public' } as const
const METHODS = ['GET', 'HEAD', 'OPTIONS']
const TYPE = 'application/json; charset=utf-8'

const withoutSlash = (path: string): string => path.endsWith('/') ? path.slice(0, -1) : path

/**
 * Serves what there is at `base` and below it, with or without a slash at the end; for everything else below it a
 * plain 404 as JSON, which makes clients try the next place, where a page or a redirect would confuse them (AS-M3).
 * Scripts of every origin may read all of it (RS-8), since it is the same for everybody.
 * `maxAge` is in seconds.
 */
export function serveBelow (scope: FastifyInstance, base: string, documents: Documents, maxAge = 3600): void {
  const headers = { ...PUBLIC_CORS, 'content-type': TYPE, 'cache-control': `public, max-age=${maxAge}` }
  for (const url of [base, `${base}/*`]) {
    scope.get<{ Params: { '*'?: string } }>(url, { exposeHeadRoute: true, config: CONFIG, errorHandler },
      (request, reply) => {
        const path = request.params['*']
        const document = documents.get(withoutSlash(path === undefined ? base : `${base}/${path}`))
        if (document === undefined) {
          throw new OAuthError({ code: 'invalid_request', description: 'there is no such document', reason: 'no such document', status: 404 })
        }
        return reply.headers(headers).send(document)
      })
    answerPreflights(scope, url)
    refuseOtherMethods(scope, { url, allow: METHODS, config: CONFIG, errorHandler })
  }
}

/** OAuth JSON that nobody may keep, whatever went wrong (AS-T2). */
function errorHandler (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const refusal = refusalOf(error)
  if (refusal.status >= 500) request.log.error({ err: refusal }, refusal.reason)
  recordEvent(request, { type: 'request.refused', reason: refusal.reason })
  sayWhenToRetry(reply, refusal.status)
  return reply.code(refusal.status)
    .headers({ ...PUBLIC_CORS, 'content-type': TYPE, 'cache-control': 'no-store', pragma: 'no-cache' })
    .send(JSON.stringify(refusal))
}
