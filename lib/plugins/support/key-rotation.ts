import { DEFAULT_ROTATION } from '../../crypto/key-schedule.js'
import { InvalidOptionError } from '../../errors.js'
import type { KeyRotation } from '../../../types/crypto.js'
import type { PkceStoreOptions } from '../../../types/options.js'

/**
 * The schedule of the signing keys. A default gives way to a short `every`.
 * @throws {InvalidOptionError} when a key would be published for longer before it signs than it then signs.
 */
export function rotationOf (chosen: PkceStoreOptions['keyRotation'] = {}): KeyRotation {
  if (chosen === false) return { ...DEFAULT_ROTATION, every: null }
  const { every, publishedBefore } = { ...DEFAULT_ROTATION, ...chosen }
  const longest = Math.floor(every / 2)
  if (chosen.publishedBefore === undefined) return { every, publishedBefore: Math.min(publishedBefore, longest) }
  if (publishedBefore <= longest) return { every, publishedBefore }
  throw new InvalidOptionError('keyRotation.publishedBefore must not be longer than half of keyRotation.every')
}

/** @throws {InvalidOptionError} when both the store and signers are to make keys. */
export function keyOptionsOf ({ signers, signingAlgorithm: algorithm, keyRotation }: PkceStoreOptions) {
  if (signers === undefined) {
    return { rotation: rotationOf(keyRotation), ...(algorithm === undefined ? {} : { algorithm }) }
  }
  if (algorithm === undefined && !keyRotation) return { rotation: rotationOf(false), signers }
  throw new InvalidOptionError('signers cannot be given together with signingAlgorithm or keyRotation: no key is made here')
}
