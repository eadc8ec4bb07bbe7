import { randomId, sha256 } from '../crypto/digest.js'
import { OAuthError } from '../protocol/oauth-error.js'
import type {
  Client, ClientAuthenticationMethod, ClientMetadata, Lifetimes, StaticClient
} from '../../types/oauth.js'
import type { RecordStore } from '../../types/stores.js'
import { readStaticClients } from './static-clients.js'
import { readStoredClient } from './stored-client.js'

const KIND = 'client'
// 128 random bits, as randomId makes them; nothing else is asked of the store.
const DYNAMIC_ID = /^[\w-]{22}$/

export interface Registration {
  readonly metadata: ClientMetadata
  readonly authenticationMethods: readonly ClientAuthenticationMethod[]
}

export interface Clients {
  /** `null` for a client that is unknown, or was forgotten. */
  find (clientId: string, now: number): Promise<Client | null>
  /**
   * Registers a client under an id of ours (128 random bits, never a URL: AS-R5). The secret (256 random bits, only
   * for a confidential client) is answered here and nowhere else; its digest is stored.
   * @throws {OAuthError} `too_many_requests` when there is no room for another one.
   */
  register (registration: Registration, now: number):
  Promise<{ readonly client: Client, readonly secret: string | null }>
  /** Keeps a self-registered client for `lifetimes.idleClient` from now on: a user has just authorized it. */
  keepAlive (client: Client, now: number): Promise<void>
}

/**
 * Clients of the configuration, and those that registered themselves.
 *
 * Self-registered ones are bounded without a count that concurrent processes would have to agree on: half of
 * `maxClients` may register in each window of `lifetimes.unusedClient`, after which those that nobody authorized
 * are gone; so never more than `maxClients` of them are kept. A client that a user authorized does not count: it
 * took a person to keep it.
 *
 * @throws {InvalidOptionError} whose message starts with the path of the option that is wrong.
 */
export function createClients (input: {
  records: RecordStore, tenant: string, statics: readonly StaticClient[], lifetimes: Lifetimes, maxClients: number
}): Clients {
  const { records, tenant, lifetimes } = input
  const statics = readStaticClients(input.statics)
  const quota = Math.floor(input.maxClients / 2)
  const keyOf = (clientId: string) => ({ tenant, kind: KIND, id: clientId })

  async function assertRoom (now: number): Promise<void> {
    const counter = { tenant, kind: 'client-quota', id: 'registrations' }
    const { count } = await records.increment(counter, { by: 1, window: lifetimes.unusedClient }, now)
    if (count <= quota) return
    throw new OAuthError({
      code: 'too_many_requests', description: 'too many clients have registered, try again later', reason: 'client quota'
    })
  }

  async function addClient (registration: Registration, now: number): ReturnType<Clients['register']> {
    const { metadata, authenticationMethods } = registration
    const secret = metadata.token_endpoint_auth_method === 'none' ? null : randomId(32)
    const secretDigests = secret === null ? [] : [sha256(secret)]
    const clientId = randomId()
    const client: Client = { clientId, metadata, secretDigests, authenticationMethods, origin: 'dynamic', issuedAt: now }
    const record = {
      ...keyOf(clientId), expiresAt: now + lifetimes.unusedClient, index: {}, body: JSON.stringify(client)
    }
    return await records.add(record, now) ? { client, secret } : await addClient(registration, now)
  }

  return {
    async find (clientId, now) {
      const known = statics.get(clientId)
      if (known !== undefined) return known
      const record = DYNAMIC_ID.test(clientId) ? await records.get(keyOf(clientId), now) : null
      return record === null ? null : readStoredClient(JSON.parse(record.body))
    },

    async register (registration, now) {
      await assertRoom(now)
      return await addClient(registration, now)
    },

    async keepAlive (client, now) {
      const record = client.origin === 'dynamic' ? await records.get(keyOf(client.clientId), now) : null
      // Another process that is first has just kept it as long.
      if (record !== null) await records.replace({ ...record, expiresAt: now + lifetimes.idleClient }, now)
    }
  }
}
