import type { SenderConstraint } from '../../../types/access.js'
import type { ClientCertificateOptions, DpopOptions } from '../../../types/sender-constraint.js'
import { InvalidOptionError } from '../../errors.js'
import type { SenderMetadata } from '../../protocol/resource-metadata.js'
import { PROOF_ALGORITHMS } from '../../tokens/dpop-proof.js'

/** The options of `scopeGuard` that the metadata repeats. */
export interface SenderOptions {
  readonly dpop?: DpopOptions
  readonly clientCertificate?: ClientCertificateOptions
  readonly requireSenderConstraint?: SenderConstraint
}

/**
 * What the metadata of a resource says about bound tokens (RFC 9728 §2, RS-7).
 * @throws {InvalidOptionError} for a constraint that no token could meet.
 */
export function senderMetadataOf (options: SenderOptions): SenderMetadata {
  const { dpop, clientCertificate, requireSenderConstraint: required = false } = options
  const certificates = clientCertificate !== undefined
  if (required !== false && dpop === undefined && !certificates) {
    throw new InvalidOptionError('requireSenderConstraint needs dpop or clientCertificate: no token could be bound')
  }
  return {
    dpopAlgorithms: dpop === undefined ? [] : dpop.algorithms ?? PROOF_ALGORITHMS,
    // A token that is bound to a certificate is as good.
    dpopRequired: required === true && !certificates,
    certificates
  }
}
