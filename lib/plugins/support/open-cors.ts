import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { PUBLIC_CORS, PUBLIC_PREFLIGHT } from '../../protocol/cors.js'

/**
 * An `onRequest` hook for endpoints that read no cookie: scripts of every origin may call them, without credentials
 * (RS-8, AS-T13). Their errors are open too, so that a script can tell what went wrong.
 */
export function openToOrigins (_request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  reply.headers(PUBLIC_CORS)
  done()
}

/** Answers preflights of `url`, without authentication, where the CORS part has not done so before. */
export function answerPreflights (scope: FastifyInstance, url: string): void {
  const config = { mcpSecurity: { public: true }, mcpCors: 'public' } as const
  scope.options(url, { config }, async (_request, reply) =>
    await reply.code(204).headers(PUBLIC_PREFLIGHT).header('cache-control', 'no-store').send())
}
