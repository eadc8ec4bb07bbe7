import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Clock } from '../../../types/clock.js'
import type { Secrets } from '../../../types/crypto.js'
import type { Handles } from '../../../types/handles.js'
import { handlesOf } from '../../crypto/handles.js'

/** Adds `request.mcpHandles`: handles for the state of whoever the request acts for. Reading it throws for nobody. */
export function decorateHandles (
  fastify: FastifyInstance, { secrets, clock }: { readonly secrets: Secrets, readonly clock: Clock }
): void {
  fastify.decorateRequest('mcpHandles', {
    getter (this: FastifyRequest): Handles {
      if (this.mcpAuth === null) throw new Error('request.mcpHandles: nobody is known on a public route')
      return handlesOf(secrets, this.mcpAuth, clock)
    }
  })
}
