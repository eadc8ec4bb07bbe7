import type { FastifyReply, FastifyRequest } from 'fastify'
import { csrfToken, verifyCsrf } from '../../identity/csrf.js'
import { assertNoRepeats, single, type Form } from '../../protocol/form.js'
import { readBrowserId } from '../support/browser-cookie.js'
import { formOf } from '../support/body-parsers.js'
import { isSameOrigin } from '../support/same-origin.js'
import type { Identity } from './identity.js'

/** What a page says whose form was not taken for ours. */
export const STALE = 'The page was open for too long, or the browser does not keep our cookies. Try again.'

export interface GuardedForm {
  readonly form: Form
  /** For the page that is shown next. */
  readonly csrf: string
  /** Whether one of our own pages in this very browser sent the form. */
  readonly isOurs: boolean
}

/**
 * Reads a form and tells whether it is ours (AS-C2). `purpose` binds the form's token to more than the browser.
 * @throws {OAuthError} `invalid_request` for a repeated parameter.
 */
export function readGuardedForm (request: FastifyRequest, reply: FastifyReply, { identity, purpose }: {
  readonly identity: Identity
  readonly purpose: (form: Form) => readonly string[]
}): GuardedForm {
  const { secrets, origin } = identity
  const form = formOf(request)
  assertNoRepeats(form)
  const parts = [...purpose(form), readBrowserId(request, reply)]
  const isOurs = isSameOrigin(request, origin) && verifyCsrf(secrets, parts, single(form, 'csrf'))
  return { form, csrf: csrfToken(secrets, parts), isOurs }
}

/** The token for the first showing of a form. */
export function csrfFor (request: FastifyRequest, reply: FastifyReply, { identity, purpose }: {
  readonly identity: Identity
  readonly purpose: readonly string[]
}): string {
  return csrfToken(identity.secrets, [...purpose, readBrowserId(request, reply)])
}
