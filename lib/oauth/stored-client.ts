import type { Client } from '../../types/oauth.js'

/** As version 0.2 kept it. */
interface OneSecret {
  /** `null` for a public client. */
  readonly secretDigest: string | null
}

/** A client as it is in the store, also one that version 0.2 wrote: that had one secret or none. */
export function readStoredClient (stored: Client | (Omit<Client, 'secretDigests'> & OneSecret)): Client {
  if ('secretDigests' in stored) return stored
  const { secretDigest, ...client } = stored
  return { ...client, secretDigests: secretDigest === null ? [] : [secretDigest] }
}
