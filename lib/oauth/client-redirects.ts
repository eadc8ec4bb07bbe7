import type { Client } from '../../types/oauth.js'

/** Whether a client is sent back to the same places, in whatever order it names them. */
export function hasSameRedirects (one: Client, other: Client): boolean {
  const uris = new Set(one.metadata.redirect_uris)
  const others = new Set(other.metadata.redirect_uris)
  return uris.size === others.size && [...uris].every((uri) => others.has(uri))
}
