import type { FastifyInstance } from 'fastify'
import type { Secrets } from '../../../types/crypto.js'
import type { ScopeGuardOptions } from '../../../types/options.js'
import type { DpopOptions } from '../../../types/sender-constraint.js'
import { createDpopNonces, type DpopNonces } from '../../crypto/dpop-nonce.js'
import { InvalidOptionError, PartOrderError } from '../../errors.js'
import { PROOF_ALGORITHMS, type ProofRules } from '../../tokens/dpop-proof.js'
import { rememberedProofs, storedProofs, type FirstUse } from '../../tokens/dpop-replay.js'
import type {} from '../pkce-store.js'
import { certificateSource, type CertificateOf } from '../support/client-certificate.js'

/** How clients can prove that a token is theirs. */
export interface SenderSettings {
  readonly dpop: DpopSettings | null
  readonly certificateOf: CertificateOf | null
  /** Whether every token has to be bound to its sender. */
  readonly required: boolean
}

export interface DpopSettings {
  readonly rules: ProofRules
  readonly nonces: DpopNonces | null
  readonly isFirstUse: FirstUse
}

const REMEMBERED = 200_000

function firstUseOf (fastify: FastifyInstance, { replay = {} }: DpopOptions): FirstUse {
  const { shared = false, max } = replay
  if (!shared) return rememberedProofs(max ?? REMEMBERED)
  if (max !== undefined) throw new InvalidOptionError('dpop.replay.max cannot be given together with shared: the store has its own bounds')
  if (!fastify.hasDecorator('pkceStore')) throw new PartOrderError('dpop.replay.shared needs pkceStore registered before scopeGuard')
  return storedProofs(fastify.pkceStore)
}

function dpopOf (fastify: FastifyInstance, options: DpopOptions, secrets: Secrets): DpopSettings {
  const { algorithms = PROOF_ALGORITHMS, nonce = false } = options
  const nonces = nonce ? createDpopNonces(secrets) : null
  return {
    rules: { algorithms: [...algorithms], isGoodNonce: nonces === null ? null : nonces.isGood },
    nonces,
    isFirstUse: firstUseOf(fastify, options)
  }
}

/**
 * `secrets` make the nonces: where every instance and the authorization server have the same, they take each other's.
 * @throws {InvalidOptionError} when bound tokens are asked for that could never be shown, or of nobody.
 * @throws {PartOrderError} when proofs are to be shared and there is no store.
 */
export function readSenderSettings (
  fastify: FastifyInstance, options: ScopeGuardOptions, secrets: Secrets
): SenderSettings {
  const { dpop, clientCertificate, requireSenderConstraint: required = false, components = [] } = options
  const isPossible = dpop !== undefined || clientCertificate !== undefined
  const component = components.findIndex(({ senderConstrained = false }) => senderConstrained)
  if (!isPossible && required !== false) {
    throw new InvalidOptionError('requireSenderConstraint needs dpop or clientCertificate: no token could be bound')
  }
  if (!isPossible && component !== -1) {
    throw new InvalidOptionError(`components.${component}.senderConstrained needs dpop or clientCertificate: no token could be bound`)
  }
  if (required === true && options.authentication?.anonymous !== undefined) {
    throw new InvalidOptionError('authentication.anonymous cannot be given together with requireSenderConstraint: nobody proves a key without a token')
  }
  return {
    dpop: dpop === undefined ? null : dpopOf(fastify, dpop, secrets),
    certificateOf: clientCertificate === undefined ? null : certificateSource(clientCertificate),
    required: required === true
  }
}
