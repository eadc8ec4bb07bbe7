import { sha256 } from '../crypto/digest.js'
import { isClientIdUrl, readClientDocument, readClientIdUrl, unknownClient } from '../protocol/client-document.js'
import { freshnessOf } from '../protocol/freshness.js'
import { OAuthError } from '../protocol/oauth-error.js'
import { fetchPublicJson, PublicFetchError, type PublicFetchOptions } from '../tokens/public-fetch.js'
import type { Client, Lifetimes } from '../../types/oauth.js'
import type { RecordStore, StoredRecord } from '../../types/stores.js'
import { keptAfterUse } from './client-lifetime.js'
import type { Clients } from './clients.js'
import { readStoredClient } from './stored-client.js'

export interface ClientDocumentRules {
  /** Whose documents count. Asked for each authorization. Default: every one. Anything but `true` refuses. */
  readonly allow?: (clientId: URL) => boolean | Promise<boolean>
  readonly fetch: PublicFetchOptions
  /** Private-use redirect schemes that may be named (AS-A4). */
  readonly schemes: readonly string[]
}

export interface ClientDocuments {
  /** The client as its document was last read here; `null` when it never was. Fetches nothing. */
  find (clientId: string, now: number): Promise<Client | null>
  /**
   * The client by its document, fetched unless what is held is still fresh. Only for a user who has signed in.
   * @throws {OAuthError} `invalid_client`, the same for whatever is wrong; `temporarily_unavailable`
   */
  read (clientId: string, subject: string, now: number): Promise<Client>
  /** As `keepAlive` of all clients: a user has just authorized it. */
  keepAlive (client: Client, now: number): Promise<void>
}

interface Held {
  readonly client: Client
  readonly freshUntil: number
}

const KIND = 'client-document'
/** R 5 minutes to 24 hours (PX-14). */
const FRESHNESS = { min: 300, max: 86_400, otherwise: 3600 }
/** New or stale documents that one user may make us fetch in an hour (PX-15). */
const FETCHES = { max: 60, window: 3600 }
const MAX_READING = 50
/** Of one user, so that nobody alone takes the places of all with servers that take their time. */
const MAX_OF_USER = 5
/** How long a document that could not be had is not asked for again, and how many such are remembered. */
const FAILED_SECONDS = 30
const MAX_FAILED = 1000

/**
 * Clients whose id is the URL of a document about them (PX-10 to PX-16): held in the store, so that every instance and
 * the token endpoint know them without a fetch, and read again when they are no longer fresh.
 */
export function createClientDocuments (input: ClientDocumentRules & {
  readonly records: RecordStore, readonly tenant: string, readonly lifetimes: Lifetimes
}): ClientDocuments {
  const { records, tenant, lifetimes, allow, schemes } = input
  const reading = new Map<string, Promise<Client>>()
  const readers = new Map<string, { count: number }>()
  const failed = new Map<string, number>()
  const keyOf = (clientId: string) => ({ tenant, kind: KIND, id: sha256(clientId) })

  async function assertMayFetch (subject: string, now: number): Promise<void> {
    const counter = { tenant, kind: 'client-document-fetches', id: sha256(subject) }
    const { count } = await records.increment(counter, { by: 1, window: FETCHES.window }, now)
    if (count > FETCHES.max) throw tooMany('client documents of one user')
  }

  async function assertAllowed (url: URL): Promise<void> {
    if (allow !== undefined && await allow(url) !== true) throw unknownClient('client document not allowed')
  }

  async function fetchClient (clientId: string, before: StoredRecord | null, now: number): Promise<Client> {
    const url = readClientIdUrl(clientId)
    await assertAllowed(url)
    const { document, cacheControl } = await fetchPublicJson(url, input.fetch)
    const metadata = readClientDocument(document, { clientId, schemes })
    const client: Client = {
      clientId,
      metadata,
      secretDigests: [],
      authenticationMethods: [metadata.token_endpoint_auth_method],
      origin: 'document',
      issuedAt: before === null ? now : heldIn(before).client.issuedAt
    }
    const held: Held = { client, freshUntil: now + freshnessOf(cacheControl, FRESHNESS) }
    await keep(clientId, held, before, now)
    return client
  }

  /** Whoever was first in another process has just read the same document. */
  async function keep (clientId: string, held: Held, before: StoredRecord | null, now: number): Promise<void> {
    const body = JSON.stringify(held)
    const expiresAt = Math.max(now + lifetimes.unusedClient, before?.expiresAt ?? 0)
    if (before === null) await records.add({ ...keyOf(clientId), expiresAt, index: {}, body }, now)
    else await records.replace({ ...before, expiresAt, body }, now)
  }

  async function readAnew (clientId: string, subject: string, now: number): Promise<Client> {
    const before = await records.get(keyOf(clientId), now)
    if (before !== null && now < heldIn(before).freshUntil) {
      await assertAllowed(readClientIdUrl(clientId))
      return heldIn(before).client
    }
    if (now < (failed.get(clientId) ?? 0)) throw unknownClient('client document failed a moment ago')
    await assertMayFetch(subject, now)
    try {
      return await fetchClient(clientId, before, now)
    } catch (error) {
      if (!(error instanceof OAuthError) && !(error instanceof PublicFetchError)) throw error
      if (failed.size >= MAX_FAILED) failed.clear()
      failed.set(clientId, now + FAILED_SECONDS)
      throw error instanceof OAuthError ? error : unknownClient(`client document: ${error.reason}`, error)
    }
  }

  return {
    async find (clientId, now) {
      const record = await records.get(keyOf(clientId), now)
      return record === null ? null : heldIn(record).client
    },

    async read (clientId, subject, now) {
      readClientIdUrl(clientId)
      const asked = reading.get(clientId)
      if (asked !== undefined) return await asked
      if (reading.size >= MAX_READING) throw tooMany('client documents at once')
      const mine = readers.get(subject) ?? { count: 0 }
      if (mine.count >= MAX_OF_USER) throw tooMany('client documents of one user at once')
      mine.count += 1
      readers.set(subject, mine)
      const question = readAnew(clientId, subject, now).finally(() => {
        reading.delete(clientId)
        mine.count -= 1
        if (mine.count === 0) readers.delete(subject)
      })
      reading.set(clientId, question)
      return await question
    },

    async keepAlive ({ clientId }, now) {
      const record = await records.get(keyOf(clientId), now)
      if (record !== null) await records.replace({ ...record, expiresAt: now + keptAfterUse(lifetimes) }, now)
    }
  }
}

/** All clients that an authorization server knows, whatever their id looks like. */
export function withDocuments (clients: Clients, documents: ClientDocuments): Clients {
  return {
    ...clients,
    find: (clientId, now) => (isClientIdUrl(clientId) ? documents : clients).find(clientId, now),
    keepAlive: (client, now) => (client.origin === 'document' ? documents : clients).keepAlive(client, now)
  }
}

function heldIn ({ body }: StoredRecord): Held {
  const { client, freshUntil } = JSON.parse(body)
  return { client: readStoredClient(client), freshUntil }
}

function tooMany (reason: string): OAuthError {
  return new OAuthError({ code: 'temporarily_unavailable', description: 'try again later', reason })
}
