import { randomId, sha256 } from '../crypto/digest.js'
import type { Form } from '../protocol/form.js'
import { OAuthError } from '../protocol/oauth-error.js'
import type { Client } from '../../types/oauth.js'
import type { RecordStore } from '../../types/stores.js'
import { isTrusted } from './direct-grant.js'
import { isSelfContainedId } from './self-contained-id.js'

export interface PushedRequests {
  /**
   * Keeps an authorization request that was checked; answers its `request_uri` and for how many seconds it is good.
   * @throws {OAuthError} `too_many_requests` when this client, or all together, keep too many: all but those that the
   * operator set up and that show who they are, whom no flood of others keeps out; `invalid_request` (413) for one of
   * more than 8192 characters. `useProof` is called when there is room, before anything is kept: what is refused for
   * want of it fills no memory of proofs.
   */
  push (client: Client, form: Form, now: number, useProof?: () => Promise<void>):
  Promise<{ readonly requestUri: string, readonly expiresIn: number }>
  /** What this client pushed; `null` when it did not, or when it was used or has expired. */
  find (clientId: string, requestUri: string, now: number): Promise<Form | null>
  /** Uses a request up. Of any number of callers one is answered `true`. */
  use (requestUri: string, now: number): Promise<boolean>
}

interface Kept {
  readonly clientId: string
  readonly parameters: ReadonlyArray<readonly [string, readonly string[]]>
}

const KIND = 'pushed-request'
const PREFIX = 'urn:ietf:params:oauth:request_uri:'
/** Long enough to sign in between (RFC 9126 §2.2). */
const LIFETIME = 600
/** Kept at the same time, at most twice so many at the seam of two windows. */
const MAX_OF_CLIENT = 1000
const MAX_OF_ALL = 20_000
/** Characters, as kept. Whoever registers clients can have all of them kept: 160 MB. */
const MAX_LENGTH = 8192
/** What the client showed at the endpoint is not part of what it asks for. */
const NOT_KEPT = new Set(['client_secret', 'client_assertion', 'client_assertion_type'])

/** Whether a `request_uri` is one that we gave out. No other one is ever looked at, let alone fetched (AS-A18). */
export function isPushedRequestUri (requestUri: string): boolean {
  return requestUri.startsWith(PREFIX)
}

/**
 * Authorization requests that clients sent ahead, and that the browser only names (RFC 9126, AS-P1). The name has 256
 * random bits, is good once and for its client only, and is stored as a digest.
 */
export function createPushedRequests (
  { records, tenant }: { readonly records: RecordStore, readonly tenant: string }
): PushedRequests {
  const keyOf = (requestUri: string) => ({ tenant, kind: KIND, id: sha256(requestUri) })

  async function assertRoom (id: string, max: number, now: number): Promise<void> {
    const counter = { tenant, kind: 'pushed-request-quota', id }
    const { count } = await records.increment(counter, { by: 1, window: LIFETIME }, now)
    if (count <= max) return
    throw new OAuthError({
      code: 'too_many_requests', description: 'too many requests were pushed, try again later', reason: 'pushed request quota'
    })
  }

  return {
    async push (client, form, now, useProof = async () => {}) {
      const { clientId } = client
      const kept: Kept = { clientId, parameters: [...form].filter(([name]) => !NOT_KEPT.has(name)) }
      const body = JSON.stringify(kept)
      if (body.length > MAX_LENGTH) {
        throw new OAuthError({ code: 'invalid_request', description: 'the request is too long', status: 413 })
      }
      await assertRoom(`client ${counterOf(clientId)}`, MAX_OF_CLIENT, now)
      if (!isTrusted(client)) await assertRoom('all', MAX_OF_ALL, now)
      await useProof()
      const requestUri = PREFIX + randomId(32)
      await records.add({ ...keyOf(requestUri), expiresAt: now + LIFETIME, index: {}, body }, now)
      return { requestUri, expiresIn: LIFETIME }
    },

    async find (clientId, requestUri, now) {
      const record = await records.get(keyOf(requestUri), now)
      if (record === null) return null
      const kept: Kept = JSON.parse(record.body)
      return kept.clientId === clientId ? new Map(kept.parameters) : null
    },

    use: (requestUri, now) => records.remove(keyOf(requestUri), now)
  }
}

/** Strangers can have any number of ids that say by themselves what was registered: these share a few counters. */
function counterOf (clientId: string): string {
  const digest = sha256(clientId)
  return isSelfContainedId(clientId) ? digest.slice(0, 2) : digest
}
