import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

const OPEN = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'www-authenticate, retry-after'
}

/**
 * An `onRequest` hook for endpoints that read no cookie: scripts of every origin may call them, without credentials
 * (RS-8, AS-T13). Its errors are open too, so that a script can tell what went wrong.
 */
export function openToOrigins (_request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  reply.headers(OPEN)
  done()
}

/** Answers preflights of `url`, without authentication. */
export function answerPreflights (scope: FastifyInstance, url: string, methods: readonly string[]): void {
  const headers = {
    ...OPEN,
    'access-control-allow-methods': methods.join(', '),
    'access-control-allow-headers': 'authorization, content-type, accept, dpop, mcp-protocol-version',
    'access-control-max-age': '7200',
    'cache-control': 'no-store'
  }
  const config = { mcpSecurity: { public: true }, mcpCors: 'public' } as const
  scope.options(url, { config }, async (_request, reply) => await reply.code(204).headers(headers).send())
}
