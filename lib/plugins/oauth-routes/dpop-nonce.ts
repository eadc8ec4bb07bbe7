import type { FastifyInstance } from 'fastify'
import type { OAuthContext } from './context.js'

/** Brings the nonce for the next proof on every answer of the scope, whatever the answer is (RFC 9449 §8.2, EX-23). */
export function bringNonces (scope: FastifyInstance, { dpop, store }: OAuthContext): void {
  const nonces = dpop?.nonces ?? null
  if (nonces === null) return
  scope.addHook('onRequest', (_request, reply, done) => {
    reply.header('dpop-nonce', nonces.current(store.clock()))
    done()
  })
}
