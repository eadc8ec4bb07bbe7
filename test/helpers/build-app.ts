import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'

/** What a test needs to tidy up after itself; tap's `t` is one. */
export interface Teardown {
  teardown (close: () => unknown): void
}

/** A Fastify app that is closed at the end of the test, open event streams included. */
export function buildApp (t: Teardown, options: FastifyServerOptions = {}): FastifyInstance {
  const app = Fastify({ forceCloseConnections: true, ...options })
  t.teardown(async () => { await app.close() })
  return app
}
