import type { DpopNonces } from '../crypto/dpop-nonce.js'
import type { ProofRules } from './dpop-proof.js'
import type { FirstUse } from './dpop-replay.js'

/** How DPoP proofs are judged, where they are taken. */
export interface DpopSettings {
  readonly rules: ProofRules
  /** `null` where none is asked for. */
  readonly nonces: DpopNonces | null
  readonly isFirstUse: FirstUse
}
