import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AccountError, type Account } from '../../identity/accounts.js'
import { MIN_PASSWORD_LENGTH } from '../../identity/passwords.js'
import { errorPage } from '../../pages/error-page.js'
import { setUpPage } from '../../pages/set-up-page.js'
import { formOfQuery, single, type Form } from '../../protocol/form.js'
import { recordEvent } from '../support/record-event.js'
import { sendPage } from '../support/send-page.js'
import { csrfFor, readGuardedForm, STALE } from './form-guard.js'
import { sendOn } from './going-on.js'
import type { Identity } from './identity.js'
import { pageRoutes } from './routes.js'
import { startSession } from './session-cookie.js'

const DIFFERENT = 'The two passwords are not the same.'

/** A token belongs to one link: one for another link is not taken. */
const purposeOf = (token: string): readonly string[] => ['set-up', token]
const tokenOf = (form: Form): string => single(form, 'token') ?? ''

/** Makes the first account, for whoever has the link that the server printed at its start. */
export function setUpRoutes (scope: FastifyInstance, identity: Identity): void {
  const { paths, branding, clock, setUp } = identity

  function ask (reply: FastifyReply, { status, ...model }: {
    status: number, csrf: string, token: string, name?: string, error?: string
  }): FastifyReply {
    const html = setUpPage({ action: paths.setUp, minPasswordLength: MIN_PASSWORD_LENGTH, ...branding, ...model })
    return sendPage(reply, { status, html })
  }

  function refuse (reply: FastifyReply): FastifyReply {
    const html = errorPage({
      status: 404,
      title: 'This link does not work',
      message: 'It was used, is more than an hour old, or there is an account already. A new one is printed when the server starts without accounts.',
      link: { href: paths.signIn, text: 'Sign in' },
      ...branding
    })
    return sendPage(reply, { status: 404, html })
  }

  async function show (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const token = tokenOf(formOfQuery(request.url))
    if (!await setUp.isOpen(token, clock())) return refuse(reply)
    return ask(reply, { status: 200, csrf: csrfFor(request, reply, { identity, purpose: purposeOf(token) }), token })
  }

  /** Answers the account, a sentence about what is wrong with the form, or `null` when the link does not work. */
  async function make (form: Form, name: string): Promise<Account | string | null> {
    const password = single(form, 'password') ?? ''
    if (password !== (single(form, 'password_again') ?? '')) return DIFFERENT
    try {
      return await setUp.use({ token: tokenOf(form), name, password }, clock())
    } catch (error) {
      if (error instanceof AccountError) return error.message
      throw error
    }
  }

  async function submit (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const purpose = (form: Form) => purposeOf(tokenOf(form))
    const { form, csrf, isOurs } = readGuardedForm(request, reply, { identity, purpose })
    const token = tokenOf(form)
    if (!await setUp.isOpen(token, clock())) return refuse(reply)
    const name = single(form, 'name') ?? ''
    if (!isOurs) return ask(reply, { status: 403, csrf, token, name, error: STALE })
    const made = await make(form, name)
    if (made === null) return refuse(reply)
    if (typeof made === 'string') return ask(reply, { status: 400, csrf, token, name, error: made })
    recordEvent(request, { type: 'account.created', subject: made.subject })
    await startSession(request, reply, { identity, account: made })
    return sendOn(reply, paths, undefined)
  }

  pageRoutes(scope, { url: paths.setUp, branding, show, submit })
}
