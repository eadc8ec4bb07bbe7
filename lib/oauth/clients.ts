import { randomId, sha256 } from '../crypto/digest.js'
import { OAuthError } from '../protocol/oauth-error.js'
import type { Secrets } from '../../types/crypto.js'
import type {
  Client, ClientAuthenticationMethod, ClientMetadata, Lifetimes, StaticClient
} from '../../types/oauth.js'
import type { RecordStore } from '../../types/stores.js'
import { keptAfterUse } from './client-lifetime.js'
import { createClientQuota } from './client-quota.js'
import { clientOf, createClientRecords, type KeptClient } from './client-records.js'
import { isSelfContainedId, readSelfContainedId, writeSelfContainedId } from './self-contained-id.js'
import { readStaticClients } from './static-clients.js'

/** Seconds in which the same registration from the same address is the same client. */
const RECOGNISED = 3600

export interface Registration {
  readonly metadata: ClientMetadata
  readonly authenticationMethods: readonly ClientAuthenticationMethod[]
  /** Whose request it is: an IPv4 address, or an IPv6 /64. Without one it is never recognised. */
  readonly address?: string
  /** Whether the client may manage its registration (RFC 7592). */
  readonly managed?: boolean
}

export interface Registered {
  readonly client: Client
  /** `null` for a client without one. */
  readonly secret: string | null
  /** By which the client manages its registration; `null` when it does not. */
  readonly accessToken: string | null
  /**
   * `kept`: a new client. `recognised`: a public one that the same address registered with the same metadata within
   * the hour, and that nobody has used yet. `self-contained`: nothing is kept until a user authorizes it.
   */
  readonly how: 'kept' | 'recognised' | 'self-contained'
}

export interface Clients {
  /** `null` for a client that is unknown, was forgotten, or is switched off. */
  find (clientId: string, now: number): Promise<Client | null>
  /**
   * Registers a client under an id of ours (never a URL: AS-R5). The secret (256 random bits, only for a client that
   * registered to have one) and the token for managing are answered here and nowhere else; their digests are kept.
   * @throws {OAuthError} `too_many_requests` when there is no room to keep another one and its id cannot say it all.
   */
  register (registration: Registration, now: number): Promise<Registered>
  /**
   * Keeps a self-registered client for `lifetimes.idleClient` from now on, and at least as long as what was authorized
   * may live: a user has just authorized it.
   */
  keepAlive (client: Client, now: number): Promise<void>
}

/**
 * Clients of the configuration, those that the operator made, and those that registered themselves.
 *
 * Those that nobody has authorized are bounded in number, for each network and in total (client-quota.ts), so that
 * strangers cannot fill the store; and they are forgotten after `lifetimes.unusedClient`. Beyond that number nothing
 * is kept for a new one: its id says by itself what was registered (self-contained-id.ts), is good for as long, and is
 * kept when a user authorizes it. So no flood keeps anybody from registering, and none pushes anybody out. A client
 * that a user authorized does not count: it took a person to keep it.
 *
 * @throws {InvalidOptionError} whose message starts with the path of the option that is wrong.
 */
export function createClients (input: {
  readonly records: RecordStore
  readonly tenant: string
  readonly secrets: Secrets
  readonly statics: readonly StaticClient[]
  readonly lifetimes: Lifetimes
  readonly maxClients: number
  readonly maxClientsPerNetwork: number
}): Clients {
  const { secrets, lifetimes } = input
  const statics = readStaticClients(input.statics)
  const clientRecords = createClientRecords(input)
  const quota = createClientQuota(input)

  /** Unguessable, and the same for whoever registers the same again: not longer than the client has still to live. */
  function recognisableId ({ address, metadata, authenticationMethods }: Registration, now: number): string {
    const hour = Math.floor(now / Math.min(RECOGNISED, lifetimes.unusedClient / 2))
    const said = JSON.stringify([input.tenant, address, hour, metadata, authenticationMethods])
    return secrets.mac('client-ids', said).slice(0, 22)
  }

  async function keep (kept: KeptClient, now: number): Promise<Client> {
    const added = await clientRecords.add({ client: kept, expiresAt: now + lifetimes.unusedClient }, now)
    return added ? clientOf(kept, now) : await keep({ ...kept, clientId: randomId() }, now)
  }

  /** `null` when it would have to say more than there is room for. */
  function selfContained (registration: Registration, now: number): Registered | null {
    const { secret, ...registered } = newClient(registration, now)
    const [secretDigest = null] = registered.secretDigests
    const clientId = writeSelfContainedId({ ...registered, secretDigest }, input)
    if (clientId === null) return null
    return { client: { clientId, ...registered }, secret, accessToken: null, how: 'self-contained' }
  }

  /** One that said by itself what it is, and that nobody has authorized yet. */
  function findUnused (clientId: string, now: number): Client | null {
    const registered = readSelfContainedId(clientId, input)
    if (registered === null || now >= registered.issuedAt + lifetimes.unusedClient) return null
    const { secretDigest, ...client } = registered
    return { clientId, ...client, secretDigests: secretDigest === null ? [] : [secretDigest], origin: 'dynamic' }
  }

  return {
    async find (clientId, now) {
      const known = statics.get(clientId)
      if (known !== undefined) return known
      const held = await clientRecords.read(clientId, now)
      if (held !== null) return held.client.disabled === true ? null : clientOf(held.client, now)
      return isSelfContainedId(clientId) ? findUnused(clientId, now) : null
    },

    async register (registration, now) {
      const { secret, ...registered } = newClient(registration, now)
      const accessToken = registration.managed === true ? randomId(32) : null
      const isRecognisable = secret === null && accessToken === null && registration.address !== undefined
      const sameId = isRecognisable ? recognisableId(registration, now) : null
      const same = sameId === null ? null : await clientRecords.read(sameId, now)
      if (same !== null && same.client.used !== true && same.client.disabled !== true) {
        return { client: clientOf(same.client, now), secret, accessToken, how: 'recognised' }
      }
      if (!await quota.hasRoom(registration.address ?? '', now)) {
        const answer = selfContained(registration, now)
        if (answer !== null) return answer
        throw new OAuthError({
          code: 'too_many_requests', description: 'too many clients have registered, try again later', reason: 'client quota'
        })
      }
      const client = await keep({
        clientId: same === null && sameId !== null ? sameId : randomId(),
        ...registered,
        ...(accessToken === null ? {} : { accessTokenDigest: sha256(accessToken) })
      }, now)
      return { client, secret, accessToken, how: 'kept' }
    },

    async keepAlive (client, now) {
      if (client.origin !== 'dynamic') return
      const expiresAt = now + keptAfterUse(lifetimes)
      const kept = await clientRecords.change(client.clientId, ({ client: held }) =>
        ({ client: { ...held, used: true }, expiresAt }), now)
      if (kept !== null || findUnused(client.clientId, now) === null) return
      // Another process that is first has just kept it as long.
      await clientRecords.add({ client: { ...client, used: true }, expiresAt }, now)
    }
  }
}

function newClient ({ metadata, authenticationMethods }: Registration, now: number) {
  const secret = metadata.token_endpoint_auth_method.startsWith('client_secret_') ? randomId(32) : null
  const secretDigests = secret === null ? [] : [sha256(secret)]
  return { metadata, secret, secretDigests, authenticationMethods, origin: 'dynamic' as const, issuedAt: now }
}
