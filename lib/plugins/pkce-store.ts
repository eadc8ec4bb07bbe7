import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { systemClock } from '../clock.js'
import { randomId } from '../crypto/digest.js'
import { openKeyring, type Keyring } from '../crypto/keyring.js'
import { deriveSecrets } from '../crypto/secrets.js'
import { InvalidOptionError } from '../errors.js'
import { createClientAdmin } from '../oauth/client-admin.js'
import { createClients, type Clients } from '../oauth/clients.js'
import { createGrants, type Grants } from '../oauth/grants.js'
import { createLeniencyUses, type LeniencyUses } from '../oauth/leniency-uses.js'
import { assertOptions, schemas } from '../options.js'
import { memoryStore } from '../stores/memory.js'
import type { ClientAdmin } from '../../types/client-admin.js'
import type { Clock } from '../../types/clock.js'
import type { Secrets } from '../../types/crypto.js'
import type { AccessTokenFormat, Lifetimes } from '../../types/oauth.js'
import type { PkceStoreOptions } from '../../types/options.js'
import type { RecordStore } from '../../types/stores.js'
import { startKeyKeeping } from './support/key-keeping.js'
import { keyOptionsOf } from './support/key-rotation.js'
import { lifetimesOf } from './support/lifetimes.js'
import { startPruning } from './support/pruning.js'

/** What the authorization server remembers, and what it needs to do so. */
export interface PkceStore {
  readonly records: RecordStore
  readonly tenant: string
  readonly clock: Clock
  readonly secrets: Secrets
  readonly lifetimes: Lifetimes
  readonly accessTokenFormat: AccessTokenFormat
  readonly keyring: Keyring
  readonly clients: Clients
  readonly grants: Grants
  /** How often clients needed a leniency. */
  readonly leniencyUses: LeniencyUses
}

declare module 'fastify' {
  interface FastifyInstance {
    pkceStore: PkceStore
    mcpClients: ClientAdmin
  }
}

/** What a random secret seals is lost at the next start, so it must not go into a store that outlives the process. */
function secretsOf ({ secrets, store }: PkceStoreOptions): readonly string[] {
  if (secrets !== undefined) return secrets
  if (store === undefined) return [randomId(32)]
  throw new InvalidOptionError('secrets are required together with store: without them nothing could be opened after a restart')
}

async function openStore (options: PkceStoreOptions): Promise<PkceStore> {
  const { tenant = 'default', clock = systemClock } = options
  const lifetimes = lifetimesOf(options.lifetimes)
  const secrets = deriveSecrets(secretsOf(options))
  const records = options.store ?? memoryStore()
  const held = { records, tenant, lifetimes }
  return Object.freeze({
    ...held,
    clock,
    secrets,
    accessTokenFormat: options.accessTokenFormat ?? 'jwt',
    clients: createClients({
      ...held,
      secrets,
      statics: options.clients ?? [],
      maxClients: options.maxClients ?? 10_000,
      maxClientsPerNetwork: options.maxClientsPerNetwork ?? 200
    }),
    grants: createGrants({ ...held, secrets }),
    leniencyUses: createLeniencyUses(),
    keyring: await openKeyring({ ...held, ...keyOptionsOf(options), secrets, clock })
  })
}

function reportKeys (fastify: FastifyInstance, keyring: Keyring): void {
  if (!fastify.hasDecorator('mcpAudit')) return
  if (keyring.created) fastify.mcpAudit({ type: 'key.created' })
  keyring.onChange(({ isMade, isDropped }) => {
    if (isMade) fastify.mcpAudit({ type: 'key.created' })
    if (isDropped) fastify.mcpAudit({ type: 'key.removed' })
  })
}

const pkceStorePlugin: FastifyPluginAsync<PkceStoreOptions> = async (fastify, options) => {
  assertOptions(schemas.pkceStore, options)
  const store = await openStore(options)
  const { records, clock, keyring } = store
  fastify.decorate('pkceStore', store)
  fastify.decorate('mcpClients', createClientAdmin({
    ...store, report: (event) => { if (fastify.hasDecorator('mcpAudit')) fastify.mcpAudit(event) }
  }))
  reportKeys(fastify, keyring)
  const keeping = await startKeyKeeping({ keyring, log: fastify.log })

  const { pruneInterval: interval = 60 } = options
  const pruning = interval === 0 ? null : startPruning({ records, clock, interval, log: fastify.log })
  fastify.addHook('onClose', async () => {
    await pruning?.stop()
    await keeping.stop()
    await records.close()
  })
}

/**
 * Holds the authorizations behind PKCE codes and tokens, the clients and the signing keys: `fastify.pkceStore`. The
 * operator's tools make, change and end clients by `fastify.mcpClients` (types/client-admin.ts).
 * Records hold digests and sealed text only; a copy of the store holds no usable credential. Forgets what has expired,
 * makes the next signing key in time, and closes the store with the app.
 *
 * `fastify.pkceStore.keyring` is for the operator: `rotate()` makes the next key sign earlier, `remove(kid)` takes away
 * one that somebody else may have.
 *
 * ```ts
 * await app.register(pkceStore, { store: sqliteStore(db), secrets: [process.env.SECRET] })
 * ```
 *
 * Without `store` everything is kept in memory, bounded, and ends with the process.
 *
 * @throws {InvalidOptionError} `MCPS_ERR_INVALID_OPTION` at boot; the message starts with the option's path.
 * @throws an error with code `MCPS_ERR_SECRETS` at boot when none of the secrets opens the signing keys of the store.
 */
export const pkceStore = fp(pkceStorePlugin, { name: 'mcp-security-pkce-store', fastify: '5.x' })
export default pkceStore
export type { ClientAdmin, ClientWithSecret, ListedClient, OperatorsClient } from '../../types/client-admin.js'
export type { PkceStoreOptions } from '../../types/options.js'
