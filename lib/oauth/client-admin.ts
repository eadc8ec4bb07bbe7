import { assertOptions } from '../check-options.js'
import { randomId, sha256 } from '../crypto/digest.js'
import { operatorsClient } from '../store-options.js'
import type { AuditInput } from '../../types/audit.js'
import type { ClientAdmin, ListedClient, OperatorsClient } from '../../types/client-admin.js'
import type { Clock } from '../../types/clock.js'
import type { Lifetimes } from '../../types/oauth.js'
import type { RecordStore } from '../../types/stores.js'
import { createClientRecords, type KeptClient, type NextClient } from './client-records.js'
import { hasSameRedirects } from './client-redirects.js'
import type { Clients } from './clients.js'
import type { Grants } from './grants.js'
import { isSelfContainedId } from './self-contained-id.js'
import { readStaticClient } from './static-clients.js'

const DAY = 86_400
const MAX_OVERLAP = 31 * DAY
const PAGE = 100

/** What the operator does with the clients in the store (types/client-admin.ts). */
export function createClientAdmin (input: {
  readonly records: RecordStore
  readonly tenant: string
  readonly lifetimes: Lifetimes
  readonly clients: Pick<Clients, 'find'>
  readonly grants: Pick<Grants, 'revokeClient' | 'revokePending'>
  readonly clock: Clock
  readonly report: (event: AuditInput) => void
}): ClientAdmin {
  const { clients, grants, clock, lifetimes } = input
  const clientRecords = createClientRecords(input)

  const report = (type: 'client.registered' | 'client.changed' | 'client.removed', reason: string, clientId: string) => {
    input.report({ type, reason, clientId })
  }

  async function endGrants (clientId: string): Promise<void> {
    const ended = await grants.revokeClient(clientId, clock())
    if (ended > 0) input.report({ type: 'grant.revoked', reason: 'the client was ended by the operator', clientId })
  }

  /** Keeps of a client that its id describes, and that nobody has authorized yet, that it is switched off. */
  async function shutOut (clientId: string): Promise<boolean> {
    const client = isSelfContainedId(clientId) ? await clients.find(clientId, clock()) : null
    if (client === null) return false
    const expiresAt = client.issuedAt + lifetimes.unusedClient
    return await clientRecords.add({ client: { ...client, disabled: true }, expiresAt }, clock())
  }

  /** A client that its id describes would be there again: that it is not, is kept for as long. */
  async function forget (clientId: string): Promise<boolean> {
    if (!isSelfContainedId(clientId)) return await clientRecords.remove(clientId, clock())
    const forgotten = await clientRecords.change(clientId, ({ client }) => ({
      client: { ...client, disabled: true }, expiresAt: client.issuedAt + lifetimes.unusedClient
    }), clock())
    return forgotten !== null || await shutOut(clientId)
  }

  const admin: ClientAdmin = {
    async create (said) {
      const { client, secret } = readOperatorsClient(said, randomId())
      const next = { client: { ...client, issuedAt: clock() }, expiresAt: null }
      if (!await clientRecords.add(next, clock())) return await admin.create(said)
      report('client.registered', 'made by the operator', client.clientId)
      return { client: listed(next), secret }
    },

    async find (clientId) {
      const held = await clientRecords.read(clientId, clock())
      return held === null ? null : listed(held)
    },

    async list ({ limit = PAGE, ...page } = {}) {
      const { clients, cursor } = await clientRecords.list({ ...page, limit }, clock())
      return { clients: clients.map(listed), cursor }
    },

    async update (clientId, said) {
      const { client: read, secret } = readOperatorsClient(said, clientId)
      let before: KeptClient | undefined
      const next = await clientRecords.change(clientId, ({ client: held, expiresAt }) => {
        if (held.origin !== 'admin') return null
        before = held
        const { introspects, ...kept } = held
        const secretDigests = secret !== null && held.secretDigests.length > 0 ? held.secretDigests : read.secretDigests
        return { client: { ...kept, ...read, issuedAt: held.issuedAt, secretDigests }, expiresAt }
      }, clock())
      if (next === null || before === undefined) return null
      if (!hasSameRedirects(before, next.client)) await grants.revokePending(clientId, clock())
      report('client.changed', 'changed by the operator', clientId)
      return { client: listed(next), secret: before.secretDigests.length > 0 ? null : secret }
    },

    async rotateSecret (clientId, { overlap = DAY } = {}) {
      if (!Number.isSafeInteger(overlap) || overlap < 0 || overlap > MAX_OVERLAP) {
        throw new RangeError(`overlap must be 0 to ${MAX_OVERLAP} seconds`)
      }
      const secret = randomId(32)
      const next = await clientRecords.change(clientId, ({ client: held, expiresAt }) => {
        const [current] = held.secretDigests
        if (held.origin !== 'admin' || current === undefined) return null
        const secretDigests = [sha256(secret), current]
        return { client: { ...held, secretDigests, oldSecretEndsAt: clock() + overlap }, expiresAt }
      }, clock())
      if (next === null) return null
      report('client.changed', 'secret rotated', clientId)
      return { client: listed(next), secret }
    },

    async disable (clientId) {
      const next = await clientRecords.change(clientId, ({ client, expiresAt }) =>
        ({ client: { ...client, disabled: true }, expiresAt }), clock())
      if (next === null && !await shutOut(clientId)) return false
      report('client.changed', 'disabled by the operator', clientId)
      await endGrants(clientId)
      return true
    },

    async enable (clientId) {
      const next = await clientRecords.change(clientId, ({ client: { disabled, ...client }, expiresAt }) =>
        ({ client, expiresAt }), clock())
      if (next !== null) report('client.changed', 'enabled by the operator', clientId)
      return next !== null
    },

    async remove (clientId) {
      const removed = await forget(clientId)
      if (removed) report('client.removed', 'removed by the operator', clientId)
      await endGrants(clientId)
      return removed
    }
  }
  return admin
}

/** With a secret of its own, for a method that needs one. */
function readOperatorsClient (said: OperatorsClient, clientId: string): { client: KeptClient, secret: string | null } {
  assertOptions(operatorsClient, said, 'client')
  const { tokenEndpointAuthMethod: method = '' } = said
  const secret = method.startsWith('client_secret_') ? randomId(32) : null
  const client = readStaticClient({ ...said, clientId, ...(secret === null ? {} : { secret }) }, 'client')
  return { client: { ...client, origin: 'admin' }, secret }
}

function listed ({ client, expiresAt }: NextClient): ListedClient {
  const { secretDigests, used, disabled, oldSecretEndsAt = null, accessTokenDigest, ...rest } = client
  return { ...rest, disabled: disabled === true, authorized: used === true, expiresAt, oldSecretEndsAt }
}
