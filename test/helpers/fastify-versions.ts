import { createRequire } from 'node:module'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { Teardown } from './build-app.js'

const require = createRequire(import.meta.url)
const oldest: typeof Fastify = require('fastify-5.0.0')

/** Builds an app, closed at the end of the test, on the newest Fastify and on the oldest that is supported. */
export const versions: Readonly<Record<string, (t: Teardown, options?: FastifyServerOptions) => FastifyInstance>> = {
  newest: (t, options) => build(t, Fastify, options),
  '5.0.0': (t, options) => build(t, oldest, options)
}

function build (t: Teardown, create: typeof Fastify, options: FastifyServerOptions = {}): FastifyInstance {
  const app = create({ forceCloseConnections: true, ...options })
  t.teardown(async () => { await app.close() })
  return app
}
