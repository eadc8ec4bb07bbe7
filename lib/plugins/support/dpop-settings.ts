import type { FastifyInstance } from 'fastify'
import type { Secrets } from '../../../types/crypto.js'
import type { DpopOptions } from '../../../types/sender-constraint.js'
import { createDpopNonces } from '../../crypto/dpop-nonce.js'
import { InvalidOptionError, PartOrderError } from '../../errors.js'
import { PROOF_ALGORITHMS } from '../../tokens/dpop-proof.js'
import { rememberedProofs, storedProofs, type FirstUse } from '../../tokens/dpop-replay.js'
import type { DpopSettings } from '../../tokens/dpop-settings.js'
import type {} from '../pkce-store.js'

const REMEMBERED = 200_000

function firstUseOf (fastify: FastifyInstance, { replay = {} }: DpopOptions): FirstUse {
  const { shared = false, max } = replay
  if (!shared) return rememberedProofs(max ?? REMEMBERED)
  if (max !== undefined) throw new InvalidOptionError('dpop.replay.max cannot be given together with shared: the store has its own bounds')
  if (!fastify.hasDecorator('pkceStore')) throw new PartOrderError('dpop.replay.shared needs pkceStore registered before scopeGuard')
  return storedProofs(fastify.pkceStore)
}

/**
 * What the option `dpop` comes to; `null` without it. `secrets` make the nonces: where every instance, the
 * authorization server and the guard have the same, they take each other's (EX-23).
 * @throws {InvalidOptionError} for a bound that would be for nothing.
 * @throws {PartOrderError} when proofs are to be shared and there is no store.
 */
export function dpopSettings (
  fastify: FastifyInstance, options: DpopOptions | undefined, secrets: Secrets
): DpopSettings | null {
  if (options === undefined) return null
  const { algorithms = PROOF_ALGORITHMS, nonce = false } = options
  const nonces = nonce ? createDpopNonces(secrets) : null
  return {
    rules: { algorithms: [...algorithms], isGoodNonce: nonces === null ? null : nonces.isGood },
    nonces,
    isFirstUse: firstUseOf(fastify, options)
  }
}
