import type { FastifyReply, FastifyRequest } from 'fastify'
import { OAuthError } from '../../protocol/oauth-error.js'
import { hasControlCharacters, isWellFormed } from '../../protocol/text.js'
import type { SignedInUser, SignIn, SignInSituation } from '../../../types/sign-in.js'

const MAX_SUBJECT = 255
/** In the year 5138. The same moment in milliseconds would have every sign-in be a recent one. */
const MAX_TIME = 99_999_999_999

/** For a page: the host has not sent the browser to sign in by itself. */
export const signInFirst = new OAuthError({ code: 'login_required', description: 'nobody is signed in', status: 401 })

/** For a user whose tokens a client's own could be taken for (RFC 9068 §5). */
export const namedLikeClient = new OAuthError({
  code: 'access_denied', description: 'this user may allow nothing here', status: 403, reason: 'user named like a client'
})

/** `answered`: the hook has answered the request itself, or is about to. */
export type SignInResult =
  | { readonly answered: true }
  | { readonly answered: false, readonly user: SignedInUser | null }

function assertUser ({ subject, authenticatedAt = 0 }: SignedInUser): void {
  if (typeof subject !== 'string' || subject === '' || subject.length > MAX_SUBJECT ||
    hasControlCharacters(subject) || !isWellFormed(subject)) {
    throw new TypeError(`signIn must answer a subject of 1 to ${MAX_SUBJECT} characters`)
  }
  if (typeof authenticatedAt !== 'number' || !(authenticatedAt >= 0 && authenticatedAt <= MAX_TIME)) {
    throw new TypeError('signIn must answer authenticatedAt in seconds')
  }
}

/**
 * Asks the host who is signed in. An answer of the hook's own is noticed when it is given, not when it has gone out:
 * `reply.sent` is still false while `onSend` hooks of the host run.
 * @throws {TypeError} when the hook answers something that is no user.
 */
export async function askWhoIsSignedIn (signIn: SignIn, { request, reply, ...situation }: SignInSituation & {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}): Promise<SignInResult> {
  const { send } = reply
  let answered = false
  reply.send = (payload) => {
    answered = true
    return send.call(reply, payload)
  }
  const user = await signIn(request, reply, situation)
  reply.send = send
  if (answered || reply.sent) return { answered: true }
  if (user !== null) assertUser(user)
  return { answered: false, user }
}
