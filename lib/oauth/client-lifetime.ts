import type { Lifetimes } from '../../types/oauth.js'

/**
 * Seconds for which a client is kept after a user authorized it: `lifetimes.idleClient`, and never less than what was
 * authorized may live, so that no grant is ever left without its client.
 */
export function keptAfterUse ({ idleClient, code, refreshAbsolute }: Lifetimes): number {
  return Math.max(idleClient, code + refreshAbsolute)
}
