import type { Secrets } from '../../types/crypto.js'
import type { Grant, Lifetimes } from '../../types/oauth.js'
import type { RecordStore } from '../../types/stores.js'
import { createConsent, type Consent } from './consent.js'
import { createGrantRecords, type HeldGrant } from './grant-records.js'
import { createRevocations, type Revocations } from './grant-revocation.js'
import { createRememberedConsents, type RememberedConsents } from './remembered-consents.js'

export interface Grants extends Consent, Revocations {
  /** What users agreed to, and need not be asked again. */
  readonly consents: RememberedConsents
  /**
   * What a user has given at the moment: active grants, at most 100 a page; hand `cursor` on as `after` for more. For a
   * page on which people see and withdraw it.
   */
  list (query: { readonly subject: string, readonly after?: string }, now: number):
  Promise<{ readonly grants: readonly GivenGrant[], readonly cursor: string | null }>
  /** The grant in whatever status; `null` when it has ended or never was. */
  find (grantId: string, now: number): Promise<Grant | null>
  /** Whether tokens of this grant are still good. */
  isLive (grantId: string, now: number): Promise<boolean>
  /** Of a grant that has not ended, where the store can say it at once. The same version is the same grant. */
  versionOf (grantId: string, now: number): number | undefined
  /** For the grant types: the grant with the version that `advance` compares. */
  read (grantId: string, now: number): Promise<HeldGrant | null>
  /** For the grant types: a grant that nobody is asked about. Its id is new and random. */
  open (grant: Grant, now: number): Promise<boolean>
  /** For the grant types: one atomic step. Answers `false` when somebody else was first. */
  advance (held: HeldGrant, next: Grant, now: number): Promise<boolean>
}

/** Of a grant, what may be shown: no digest. */
export type GivenGrant = Pick<Grant, 'grantId' | 'clientId' | 'resource' | 'scopes' | 'createdAt' | 'endsAt'>

const shown = ({ grantId, clientId, resource, scopes, createdAt, endsAt }: Grant): GivenGrant =>
  ({ grantId, clientId, resource, scopes, createdAt, endsAt })

/** Every authorization from the consent page to its end (types/oauth.ts, `Grant`). */
export function createGrants (input: {
  records: RecordStore, tenant: string, secrets: Secrets, lifetimes: Lifetimes
}): Grants {
  const { records, tenant, secrets, lifetimes } = input
  const grantRecords = createGrantRecords(input)
  const consents = createRememberedConsents(input)

  return {
    ...createConsent({ grantRecords, consents, secrets, lifetimes }),
    ...createRevocations({ grantRecords, consents, records, tenant }),
    consents,
    read: grantRecords.read,
    versionOf: grantRecords.versionOf,
    open: grantRecords.add,
    advance: grantRecords.advance,

    async list ({ subject, after }, now) {
      const page = await grantRecords.list({ name: 'subject', value: subject }, after ?? null, now)
      const active = page.grants.filter(({ status }) => status === 'active')
      return { grants: active.map(shown), cursor: page.cursor }
    },

    async find (grantId, now) {
      const held = await grantRecords.read(grantId, now)
      return held === null ? null : held.grant
    },

    async isLive (grantId, now) {
      const held = await grantRecords.read(grantId, now)
      return held !== null && held.grant.status === 'active'
    }
  }
}
