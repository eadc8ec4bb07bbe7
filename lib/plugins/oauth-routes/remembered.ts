import type { FastifyRequest } from 'fastify'
import type { GrantRequest, RequestedGrant } from '../../oauth/consent.js'
import { factsOf } from '../../oauth/token-refusal.js'
import type { Form } from '../../protocol/form.js'
import type { Client } from '../../../types/oauth.js'
import { recordEvent } from '../support/record-event.js'
import type { OAuthContext } from './context.js'

/** An authorization that waits for the user's answer, and what names it on the page. */
export interface OpenedAuthorization {
  readonly grant: RequestedGrant
  readonly handle: string
}

/** `consent`: that page. `select_account`: it says who is signed in, and offers to be somebody else. */
const SHOWS_PAGE = ['consent', 'select_account']

/** Whether the client wants the user to see the consent page in any case (AS-A16). */
export const isPageWanted = (form: Form): boolean =>
  form.get('prompt')?.some((value) => value.split(' ').some((one) => SHOWS_PAGE.includes(one))) === true

/**
 * Answers the code for an authorization that was opened because the user has agreed to the same before. `null` when
 * that is no longer so: looked up again now that the authorization is there, so that whoever takes the consent back
 * finds either this grant or nothing that would lead to one.
 */
export async function codeOfRemembered (
  request: FastifyRequest,
  { context, client, wanted, terms, opened }: {
    readonly context: OAuthContext
    readonly client: Client
    readonly wanted: GrantRequest
    readonly terms: string | null
    readonly opened: OpenedAuthorization
  }
): Promise<string | null> {
  const { grants, clock } = context.store
  if (!await grants.consents.covers(wanted, terms, clock())) return null
  const { subject, scopes, consented = [] } = wanted
  const approved = await grants.approve({ handle: opened.handle, subject, scopes, opened: consented }, clock())
  if (approved === null) return null
  await context.clients.keepAlive(client, clock())
  const event = { type: 'consent.remembered', scopesAsked: scopes, scopesGranted: scopes } as const
  recordEvent(request, { ...event, ...factsOf(approved.grant) })
  return approved.code
}
