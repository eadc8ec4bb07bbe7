import type { Grant, Lifetimes } from '../../types/oauth.js'
import type { RecordStore } from '../../types/stores.js'

const KIND = 'grant'
const PAGE = 1000
const LISTED = 100
// 128 random bits, as randomId makes them; nothing else is asked of the store.
const GRANT_ID = /^[\w-]{22}$/

/** A grant as it stood when it was read. */
export interface HeldGrant {
  readonly grant: Grant
  readonly version: number
}

/** Hand `cursor` on for the next page; `null` after the last one. */
export interface GrantPage {
  readonly grants: readonly Grant[]
  readonly cursor: string | null
}

export interface GrantRecords {
  add (grant: Grant, now: number): Promise<boolean>
  read (grantId: string, now: number): Promise<HeldGrant | null>
  /** Of a grant that has not ended, where the store can say it at once. The same version is the same grant. */
  versionOf (grantId: string, now: number): number | undefined
  /** Compare-and-swap: of all who read the same version, one advances it. */
  advance (held: HeldGrant, next: Grant, now: number): Promise<boolean>
  remove (grantId: string, now: number): Promise<boolean>
  idsOf (owner: GrantOwner, now: number): AsyncIterable<string>
  /** A page of them, at most 100. */
  list (owner: GrantOwner, after: string | null, now: number): Promise<GrantPage>
}

/** Whose grants: all of one user's, or all of one client's. */
export interface GrantOwner {
  readonly name: 'subject' | 'clientId'
  readonly value: string
}

/** Second at which the grant is dead: its end, or earlier when its refresh token lay unused for too long. */
export function expiryOf (grant: Grant, lifetimes: Lifetimes): number {
  return grant.refresh === null ? grant.endsAt : Math.min(grant.endsAt, grant.refresh.rotatedAt + lifetimes.refreshIdle)
}

/** Grants as records: one record each, so that each step of an authorization is one atomic verb. */
export function createGrantRecords (input: {
  records: RecordStore, tenant: string, lifetimes: Lifetimes
}): GrantRecords {
  const { records, tenant, lifetimes } = input
  const keyOf = (grantId: string) => ({ tenant, kind: KIND, id: grantId })
  const recordOf = (grant: Grant) => ({
    ...keyOf(grant.grantId),
    expiresAt: expiryOf(grant, lifetimes),
    // Nothing of a client's own is found under a name of a user.
    index: { clientId: grant.clientId, ...(grant.subject === null ? {} : { subject: grant.subject }) },
    body: JSON.stringify(grant)
  })

  return {
    add: (grant, now) => records.add(recordOf(grant), now),

    async read (grantId, now) {
      const record = GRANT_ID.test(grantId) ? await records.get(keyOf(grantId), now) : null
      if (record === null) return null
      const grant: Grant = JSON.parse(record.body)
      return { grant, version: record.version }
    },

    versionOf: (grantId, now) => records.versionOf?.(keyOf(grantId), now),

    advance: (held, next, now) => records.replace({ ...recordOf(next), version: held.version }, now),

    async remove (grantId, now) {
      return GRANT_ID.test(grantId) && await records.remove(keyOf(grantId), now)
    },

    async list (owner, after, now) {
      const place = after === null ? {} : { after }
      const { records: found, cursor } =
        await records.list({ tenant, kind: KIND, where: owner, limit: LISTED, ...place }, now)
      return { grants: found.map(({ body }): Grant => JSON.parse(body)), cursor }
    },

    async * idsOf (owner, now) {
      const query = { tenant, kind: KIND, where: owner, limit: PAGE }
      let page = await records.list(query, now)
      yield * page.records.map(({ id }) => id)
      while (page.cursor !== null) {
        page = await records.list({ ...query, after: page.cursor }, now)
        yield * page.records.map(({ id }) => id)
      }
    }
  }
}
