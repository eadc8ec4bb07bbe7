import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { formOfQuery, single } from '../../protocol/form.js'
import { OAuthError } from '../../protocol/oauth-error.js'
import { recordEvent } from '../support/record-event.js'
import { isSameOrigin } from '../support/same-origin.js'
import { sendToSignIn } from './going-on.js'
import type { Identity } from './identity.js'
import { pageRoutes } from './routes.js'
import { endSession, findSession } from './session-cookie.js'

/**
 * `POST` ends the session and shows the sign-in page, which leads back to `return_to` of the query for somebody else.
 * Needs no token: the session cookie is `SameSite=Lax`, so no other site's form brings it along.
 */
export function signOutRoutes (scope: FastifyInstance, identity: Identity): void {
  const { paths, branding, origin } = identity

  async function submit (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    if (!isSameOrigin(request, origin)) {
      throw new OAuthError({ code: 'invalid_request', description: 'The form is not ours', reason: 'not from our page', status: 403 })
    }
    const session = await findSession(request, identity)
    await endSession(request, reply, identity)
    if (session !== null) recordEvent(request, { type: 'sign-out', subject: session.account.subject })
    return sendToSignIn(reply, paths, single(formOfQuery(request.url), 'return_to'))
  }

  pageRoutes(scope, { url: paths.signOut, branding, submit })
}
