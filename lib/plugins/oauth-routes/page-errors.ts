import { errorPage } from '../../pages/error-page.js'
import type { AuditEventType } from '../../../types/audit.js'
import { refusalOf } from '../support/refusal.js'
import { sayWhenToRetry } from '../support/retry-after.js'
import { sendPage } from '../support/send-page.js'
import { report, type ErrorHandler } from './oauth-errors.js'

const TITLES: Readonly<Record<number, string>> = {
  401: 'Sign in first',
  403: 'This was not accepted',
  405: 'This page has been left',
  429: 'Too many requests',
  500: 'Something went wrong',
  503: 'Not available right now'
}

const MESSAGES: Readonly<Record<number, string>> = {
  401: 'You have to be signed in here before an application can be given access. Sign in, then start again from the application.',
  403: 'The form did not come from a page that we gave to this browser and user, so nothing was done. Start again from the application.',
  405: 'It is only the answer to a form. Start again from the application.',
  429: 'Wait a moment, then start again from the application.',
  500: 'The mistake is on our side. Nothing was given to the application.',
  503: 'Nothing was given to the application. Wait a moment, then try again.'
}

/** The error handler of what people see: the same statuses, as a page. `site` is how people call this server. */
export function answerErrorPages (type: AuditEventType, site: string): ErrorHandler {
  return function (error, request, reply) {
    const refusal = refusalOf(error)
    const { status, description } = refusal
    report(refusal, type, request)
    sayWhenToRetry(reply, status)
    const title = TITLES[status] ?? 'This request cannot be accepted'
    const message = MESSAGES[status] ??
      `It was refused because ${description}. Nothing was given to the application: start again from there.`
    return sendPage(reply, { status, html: errorPage({ status, title, message, requestId: request.id, site }) })
  }
}
