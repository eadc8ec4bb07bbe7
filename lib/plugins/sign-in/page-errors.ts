import type { FastifyReply, FastifyRequest } from 'fastify'
import { errorPage } from '../../pages/error-page.js'
import { refusalOf } from '../support/refusal.js'
import { sayWhenToRetry } from '../support/retry-after.js'
import { sendPage } from '../support/send-page.js'

interface Words {
  readonly title: string
  readonly message: string
}

const UNREADABLE: Words = { title: 'That did not work', message: 'The request could not be read. Go back, reload the page and try again.' }

const WORDS: Readonly<Record<number, Words>> = {
  405: { title: 'Not possible here', message: 'This address is for opening in a browser.' },
  429: { title: 'Too many requests', message: 'Wait a moment, then try again.' },
  500: { title: 'Something went wrong', message: 'It is not your fault. Try again; if it keeps happening, tell whoever runs this server the reference below.' },
  503: { title: 'Busy right now', message: 'Try again in a few seconds.' }
}

/** Puts whatever was thrown on a page (never a framework default), with the reason in the log where it is our fault. */
export function answerWithPage (branding: { readonly site?: string }) {
  return function (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const { status, reason, cause } = refusalOf(error)
    if (status >= 500) request.log.error({ err: cause }, reason)
    sayWhenToRetry(reply, status)
    const html = errorPage({ status, requestId: request.id, ...(WORDS[status] ?? UNREADABLE), ...branding })
    return sendPage(reply, { status, html })
  }
}
