import { randomId, secretsEqual, sha256 } from '../crypto/digest.js'
import type { Secrets } from '../../types/crypto.js'
import type { Grant, Lifetimes } from '../../types/oauth.js'
import type { GrantRecords, HeldGrant } from './grant-records.js'
import type { RememberedConsents } from './remembered-consents.js'

/** A grant that a user is or was asked for. */
export type RequestedGrant = Grant & { readonly subject: string }

/** What the user is asked to agree to, after every check of the authorization request. */
export type GrantRequest = Pick<RequestedGrant,
  'clientId' | 'subject' | 'redirectUri' | 'resource' | 'furtherResources' | 'authorizationDetails' | 'scopes' | 'state' | 'codeChallenge' |
  'codeKey' | 'authenticatedAt' | 'acr' | 'amr' | 'consented' | 'unpinned' | 'terms' | 'device'>

/** The user's answer. `subject` is who is signed in now: it must be the one who was asked. */
export interface Decision {
  readonly handle: string
  readonly subject: string
}

/** What the user ticked. */
export interface Approval extends Decision {
  readonly scopes: readonly string[]
  /** The destructive components that the ticked scopes open at the moment: those that the page named are granted. */
  readonly opened?: readonly string[]
}

export interface Consent {
  /**
   * Opens an authorization that the user has yet to agree to. `handle` names it on the consent page; only its
   * digest is stored. It ends by itself after `lifetimes.authorization`.
   */
  request (input: GrantRequest, now: number): Promise<{ readonly grant: RequestedGrant, readonly handle: string }>
  /** The grant whose consent page has this handle, until its code is exchanged; `null` afterwards. */
  findRequested (handle: string, now: number): Promise<RequestedGrant | null>
  /**
   * Grants the ticked scopes out of those asked for, never more (AS-C5), and answers the code. The same decision
   * again answers the same code until that is exchanged or expires, so an answer that was lost costs nothing.
   * `null` when there is no such page, another user is signed in, the page was decided otherwise before, or
   * nothing that was asked for is ticked: ask `deny` for that. What was asked for with `terms` is remembered.
   */
  approve (approval: Approval, now: number):
  Promise<{ readonly grant: Grant, readonly code: string } | null>
  /**
   * Ends an authorization that nobody agreed to yet, forgets what the user agreed to before, and answers it for the
   * redirect. `null` as with `approve`.
   */
  deny (decision: Decision, now: number): Promise<Grant | null>
}

type HeldRequest = HeldGrant & { readonly grant: RequestedGrant }

const isRequest = (held: HeldGrant): held is HeldRequest => held.grant.status !== 'active' && held.grant.subject !== null

/** Only what was on the page and is opened by what was ticked. */
function consentedOf ({ consented }: Grant, { opened = [] }: Approval): Pick<Grant, 'consented'> {
  return consented === undefined ? {} : { consented: consented.filter((pin) => opened.includes(pin)) }
}

/** The half of a grant's life that the browser sees: requested, then approved or gone (AS-C2, AS-C4, AS-C5, AS-A15). */
export function createConsent (input: {
  grantRecords: GrantRecords, consents: RememberedConsents, secrets: Secrets, lifetimes: Lifetimes
}): Consent {
  const { grantRecords, consents, secrets, lifetimes } = input

  async function readRequested (handle: string, now: number): Promise<HeldRequest | null> {
    const held = await grantRecords.read(handle.slice(0, handle.indexOf('.')), now)
    if (held === null || !isRequest(held)) return null
    return secretsEqual(sha256(handle), held.grant.handleDigest) ? held : null
  }

  /** Follows from the decision alone, so that the same one leads to the same code. */
  function codeFor (grantId: string, decision: Approval): string {
    const { handle, subject, scopes } = decision
    return `${grantId}.${secrets.mac('codes', JSON.stringify([handle, subject, [...new Set(scopes)].sort()]))}`
  }

  /** What a decision gets that was taken before: the same code for the same one, nothing for another one. */
  function answerAgain (held: HeldGrant | null, decision: Approval) {
    if (held === null || held.grant.codeDigest === null) return null
    const code = codeFor(held.grant.grantId, decision)
    return secretsEqual(sha256(code), held.grant.codeDigest) ? { grant: held.grant, code } : null
  }

  const consent: Consent = {
    async request (asked, now) {
      const grantId = randomId()
      const handle = `${grantId}.${randomId(32)}`
      const grant: RequestedGrant = {
        ...asked,
        status: 'requested',
        grantId,
        createdAt: now,
        handleDigest: sha256(handle),
        codeDigest: null,
        exchangedAt: null,
        refresh: null,
        endsAt: now + lifetimes.authorization
      }
      return await grantRecords.add(grant, now) ? { grant, handle } : await consent.request(asked, now)
    },

    async findRequested (handle, now) {
      const held = await readRequested(handle, now)
      return held === null ? null : held.grant
    },

    async approve (decision, now) {
      const held = await readRequested(decision.handle, now)
      if (held === null || held.grant.status === 'approved') return answerAgain(held, decision)

      const { grant } = held
      const scopes = grant.scopes.filter((scope) => decision.scopes.includes(scope))
      if (grant.subject !== decision.subject || scopes.length === 0) return null

      const code = codeFor(grant.grantId, decision)
      const approved: Grant = {
        ...grant,
        status: 'approved',
        scopes,
        ...consentedOf(grant, decision),
        codeDigest: sha256(code),
        endsAt: grant.device?.endsAt ?? now + lifetimes.code
      }
      if (!await grantRecords.advance(held, approved, now)) {
        return answerAgain(await readRequested(decision.handle, now), decision)
      }
      await consents.remember(approved, now)
      return { grant: approved, code }
    },

    async deny (decision, now) {
      const held = await readRequested(decision.handle, now)
      if (held === null || held.grant.status !== 'requested' || held.grant.subject !== decision.subject) return null
      // A record that ends now is held by nobody: this removes the grant unless it was approved in the meantime.
      const ended = await grantRecords.advance(held, { ...held.grant, endsAt: now }, now)
      if (ended) await consents.forget(held.grant, now)
      return ended ? held.grant : null
    }
  }
  return consent
}
