import type { FastifyInstance } from 'fastify'
import type { Secrets } from '../../../types/crypto.js'
import type { ScopeGuardOptions } from '../../../types/options.js'
import { InvalidOptionError } from '../../errors.js'
import type { DpopSettings } from '../../tokens/dpop-settings.js'
import { dpopSettings } from '../support/dpop-settings.js'
import { certificateSource, type CertificateOf } from '../support/client-certificate.js'

/** How clients can prove that a token is theirs. */
export interface SenderSettings {
  readonly dpop: DpopSettings | null
  readonly certificateOf: CertificateOf | null
  /** Whether every token has to be bound to its sender. */
  readonly required: boolean
}

/**
 * What the options about bound tokens come to.
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
    dpop: dpopSettings(fastify, dpop, secrets),
    certificateOf: clientCertificate === undefined ? null : certificateSource(clientCertificate),
    required: required === true
  }
}
