import type { AuditInput } from '../../types/audit.js'

export interface Ending {
  /** Whether the server finished its answer; otherwise the client left before. */
  readonly answered: boolean
  readonly statusCode: number
  readonly guarded: boolean
}

/** What to report of a request about which nobody reported anything. `null`: open routes that were served are noise. */
export function endingOf (ending: Ending): AuditInput | null {
  if (!ending.answered) return { type: 'request.aborted' }
  if (ending.statusCode >= 400) return { type: 'request.refused', reason: `status ${ending.statusCode}` }
  return ending.guarded ? { type: 'request.completed' } : null
}
