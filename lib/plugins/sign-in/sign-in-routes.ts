import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Account } from '../../identity/accounts.js'
import { readReturnTo } from '../../identity/return-to.js'
import { signInPage, type SignInModel } from '../../pages/sign-in-page.js'
import { signedInPage } from '../../pages/signed-in-page.js'
import { formOfQuery, single, type Form } from '../../protocol/form.js'
import { recordEvent } from '../support/record-event.js'
import { sendPage } from '../support/send-page.js'
import { csrfFor, readGuardedForm, STALE } from './form-guard.js'
import { sendOn } from './going-on.js'
import type { Identity } from './identity.js'
import { pageRoutes } from './routes.js'
import { findSession, startSession } from './session-cookie.js'

const PURPOSE = ['sign-in']
const WRONG = 'The name or the password is not right.'

/** What the page is shown again with. */
interface Refusal {
  readonly status: number
  readonly error: string
  readonly retryAfter?: number
}

function throttled (seconds: number): Refusal {
  const minutes = Math.ceil(seconds / 60)
  const error = `Too many attempts. Try again in ${minutes === 1 ? 'a minute' : `${minutes} minutes`}.`
  return { status: 429, error, retryAfter: seconds }
}

/** Nothing in a refusal, nor the work behind it, tells whether the account exists. */
async function authenticate (request: FastifyRequest, form: Form, identity: Identity): Promise<Account | Refusal> {
  const { accounts, attempts, networkOf, clock } = identity
  const name = single(form, 'name') ?? ''
  const attempt = { name, network: networkOf(request.ip) }
  const wait = await attempts.begin(attempt, clock())
  if (wait !== null) {
    recordEvent(request, { type: 'sign-in.throttled', reason: 'too many attempts' })
    return throttled(wait)
  }
  const credentials = { name, password: single(form, 'password') ?? '' }
  const { account, reason, subject } = await accounts.verify(credentials, clock()).catch(async (error: unknown) => {
    // A machine that is too busy must not lock anybody out.
    await attempts.withdraw(attempt, clock())
    throw error
  })
  if (account === null) {
    recordEvent(request, { type: 'sign-in.failed', reason, subject })
    return { status: 401, error: WRONG }
  }
  await attempts.succeed(attempt, clock())
  recordEvent(request, { type: 'sign-in.succeeded', subject })
  return account
}

/** `GET` shows the form, or goes on when somebody is signed in, unless `again`. `POST` takes name and password. */
export function signInRoutes (scope: FastifyInstance, identity: Identity): void {
  const { paths, branding } = identity

  function ask (reply: FastifyReply, { status, target, ...model }: Omit<SignInModel, 'action' | 'returnTo'> & {
    readonly status: number
    readonly target: string | undefined
  }): FastifyReply {
    const returnTo = readReturnTo(target, paths.goingOn) ?? ''
    return sendPage(reply, { status, html: signInPage({ action: paths.signIn, returnTo, ...branding, ...model }) })
  }

  async function show (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const query = formOfQuery(request.url)
    const target = single(query, 'return_to')
    const session = await findSession(request, identity)
    if (session === null || query.has('again')) {
      const name = single(query, 'name') ?? session?.account.name
      const csrf = csrfFor(request, reply, { identity, purpose: PURPOSE })
      return ask(reply, { status: 200, csrf, target, ...(name === undefined ? {} : { name }) })
    }
    if (readReturnTo(target, paths.goingOn) !== null) return sendOn(reply, paths, target)
    const html = signedInPage({ user: session.account.name, signOutAction: paths.signOut, ...branding })
    return sendPage(reply, { status: 200, html })
  }

  async function submit (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { form, csrf, isOurs } = readGuardedForm(request, reply, { identity, purpose: () => PURPOSE })
    const again = { csrf, target: single(form, 'return_to'), name: single(form, 'name') ?? '' }
    if (!isOurs) {
      recordEvent(request, { type: 'sign-in.failed', reason: 'not from our page' })
      return ask(reply, { ...again, status: 403, error: STALE })
    }
    const result = await authenticate(request, form, identity)
    if ('error' in result) {
      const { status, error, retryAfter } = result
      if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter))
      return ask(reply, { ...again, status, error })
    }
    await startSession(request, reply, { identity, account: result })
    return sendOn(reply, paths, again.target)
  }

  pageRoutes(scope, { url: paths.signIn, branding, show, submit })
}
