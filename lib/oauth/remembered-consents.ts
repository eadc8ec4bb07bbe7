import { sha256 } from '../crypto/digest.js'
import { isLoopbackRedirect } from '../protocol/redirect-uri.js'
import type { Client, Grant, Lifetimes, RememberedConsent } from '../../types/oauth.js'
import type { RecordStore } from '../../types/stores.js'
import type { GrantRequest } from './consent.js'
import type { GrantOwner } from './grant-records.js'

const KIND = 'consent'
const PAGE = 100

/** Whose answer about whom, and where it goes: for each there is one consent, the latest. */
type About = Pick<Grant, 'subject' | 'clientId' | 'redirectUri' | 'resource'>

/** Hand `cursor` on for the next page; `null` after the last one. */
export interface ConsentPage {
  readonly consents: readonly RememberedConsent[]
  readonly cursor: string | null
}

export interface RememberedConsents {
  /**
   * What has to stay the same for the answer to be remembered, the metadata of the client included, as a digest. `null`
   * when it must not be: nobody assures who the client is (AS-A17), it asks for authorization details (RFC 9396), which
   * may be something to do once, or `lifetimes.consent` is 0.
   */
  termsOf (client: Client, asked: GrantRequest): string | null
  /** Whether the user has agreed to all of this before, under the same terms, less than `lifetimes.consent` ago. */
  covers (asked: GrantRequest, terms: string | null, now: number): Promise<boolean>
  /** Keeps what the user has just agreed to, in the place of what was agreed to before. Nothing without terms. */
  remember (granted: Grant, now: number): Promise<void>
  forget (about: About, now: number): Promise<void>
  /** Forgets every consent of a user to a client. */
  forgetGiven (given: { readonly subject: string, readonly clientId: string }, now: number): Promise<void>
  /** Forgets every consent of a user, or to a client. */
  forgetAll (owner: GrantOwner, now: number): Promise<void>
  /** The consents of a user, at most 100; hand `cursor` on as `after` for more. */
  list (query: { readonly subject: string, readonly after?: string }, now: number):
  Promise<ConsentPage>
}

/**
 * Whether it is sure enough whom a code reaches for the user not to be asked each time (AS-A17, RFC 8252 §8.6): at an
 * https address of the web it is whoever holds that name. Any program can listen on loopback or take a private-use
 * scheme, so there the client has to authenticate, by what somebody else than itself vouches for.
 */
function isAssured ({ origin, metadata }: Client, redirectUri: string): boolean {
  if (new URL(redirectUri).protocol === 'https:' && !isLoopbackRedirect(redirectUri)) return true
  return origin !== 'dynamic' && metadata.token_endpoint_auth_method !== 'none'
}

/**
 * What users agreed to (AS-C4): one record for each user, client, redirect URI and resource. It holds scopes and
 * digests, and nothing by which anybody could act.
 */
export function createRememberedConsents (input: {
  records: RecordStore, tenant: string, lifetimes: Pick<Lifetimes, 'consent'>
}): RememberedConsents {
  const { records, tenant, lifetimes } = input
  const keyOf = ({ subject, clientId, redirectUri, resource }: About) =>
    ({ tenant, kind: KIND, id: sha256(JSON.stringify([subject, clientId, redirectUri, resource])) })

  async function list (subject: string, after: string | null, now: number): Promise<ConsentPage> {
    const query = { tenant, kind: KIND, where: { name: 'subject', value: subject }, limit: PAGE }
    const page = await records.list(after === null ? query : { ...query, after }, now)
    return { consents: page.records.map(({ body }): RememberedConsent => JSON.parse(body)), cursor: page.cursor }
  }

  async function read (about: About, now: number): Promise<RememberedConsent | null> {
    const record = await records.get(keyOf(about), now)
    return record === null ? null : JSON.parse(record.body)
  }

  return {
    termsOf (client, asked) {
      if (lifetimes.consent === 0 || asked.authorizationDetails !== undefined) return null
      if (!isAssured(client, asked.redirectUri)) return null
      // What may be another each time. Whatever else a request can say belongs to what was agreed to.
      const { scopes, consented, state, codeChallenge, codeKey, authenticatedAt, acr, amr, ...same } = asked
      return sha256(JSON.stringify([client.metadata, same]))
    },

    async covers (asked, terms, now) {
      const held = terms === null ? null : await read(asked, now)
      if (held === null || held.terms !== terms) return false
      const { consented: opened = [] } = asked
      return asked.scopes.every((scope) => held.scopes.includes(scope)) &&
        opened.every((pin) => held.consented?.includes(pin) === true)
    },

    async remember (granted, now) {
      const { subject, clientId, redirectUri, resource, scopes, consented, terms } = granted
      if (terms === undefined || subject === null) return
      const consent: RememberedConsent = {
        subject,
        clientId,
        redirectUri,
        resource,
        scopes,
        ...(consented === undefined ? {} : { consented }),
        terms,
        grantedAt: now
      }
      const record = {
        ...keyOf(granted),
        expiresAt: now + lifetimes.consent,
        index: { subject, clientId },
        body: JSON.stringify(consent)
      }
      const held = await records.get(record, now)
      // Of two answers at the same moment either may stay: both are the user's.
      if (held === null) await records.add(record, now)
      else await records.replace({ ...record, version: held.version }, now)
    },

    async forget (about, now) {
      await records.remove(keyOf(about), now)
    },

    async forgetAll (where, now) {
      await records.removeWhere({ tenant, kind: KIND, where }, now)
    },

    async forgetGiven ({ subject, clientId }, now) {
      let after: string | null = null
      do {
        const { consents, cursor } = await list(subject, after, now)
        for (const consent of consents) {
          if (consent.clientId === clientId) await records.remove(keyOf(consent), now)
        }
        after = cursor
      } while (after !== null)
    },

    list: ({ subject, after }, now) => list(subject, after ?? null, now)
  }
}
