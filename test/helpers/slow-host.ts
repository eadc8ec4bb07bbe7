import { setTimeout as wait } from 'node:timers/promises'
import type { FastifyInstance, RouteHandlerMethod } from 'fastify'

/**
 * A host whose answers take a while to go out: an async `onSend` hook is what lets a refused request slip through to
 * its handler where a hook forgot to return the reply.
 */
export function slowHost (app: FastifyInstance): { readonly handler: RouteHandlerMethod, handled: number } {
  const host = {
    handled: 0,
    handler: async () => {
      host.handled += 1
      return 'handled'
    }
  }
  app.addHook('onSend', async () => { await wait(20) })
  return host
}
