import type { FastifyReply, FastifyRequest } from 'fastify'
import { isOperatorsClient } from '../../oauth/client-scopes.js'
import { noticePage } from '../../pages/notice-page.js'
import type { OAuthError } from '../../protocol/oauth-error.js'
import { buildRedirect, redirectHost } from '../../protocol/redirect-uri.js'
import type { Grant } from '../../../types/oauth.js'
import { sendPage } from '../support/send-page.js'
import type { AuthorizationTarget } from './authorization-target.js'
import type { OAuthContext } from './context.js'
import { report } from './oauth-errors.js'

/** Sends the browser on, to a client always with `iss`: always 303, so that no form is sent on (AS-A10, AS-A12). */
export function redirectTo (reply: FastifyReply, location: string): FastifyReply {
  return reply.code(303).headers({
    location,
    'cache-control': 'no-store',
    pragma: 'no-cache',
    'referrer-policy': 'no-referrer'
  }).send()
}

/** The answer to a client that the user has said yes to. */
export function redirectWithCode (reply: FastifyReply, { context: { issuer }, grant, code }: {
  readonly context: OAuthContext
  readonly grant: Pick<Grant, 'redirectUri' | 'state'>
  readonly code: string
}): FastifyReply {
  const state = grant.state ?? undefined
  return redirectTo(reply, buildRedirect(grant.redirectUri, { code, state, iss: issuer }))
}

/**
 * Tells a client that its request is refused. One that the operator answers for is told by redirect. To one that
 * registered itself the browser is never sent without a click: else anybody could make this server a redirector to
 * anywhere (AS-A11).
 */
export function refuseToClient (request: FastifyRequest, reply: FastifyReply, { context, target, state, error }: {
  readonly context: OAuthContext
  readonly target: AuthorizationTarget
  readonly state: string | undefined
  readonly error: OAuthError
}): FastifyReply {
  const { client, redirectUri } = target
  report(error, 'authorization.refused', request, { clientId: client.clientId })
  const { error: code, error_description: description } = error.toJSON()
  const location = buildRedirect(redirectUri, {
    error: code, error_description: description, state, iss: context.issuer
  })
  if (isOperatorsClient(client)) return redirectTo(reply, location)
  const host = redirectHost(redirectUri)
  return sendPage(reply, {
    status: 400,
    html: noticePage({
      title: 'The application asked for something that is not possible',
      message: `Nothing was given to it. It can be told why: ${description}.`,
      link: { href: location, text: `Return to ${host}` },
      destination: host,
      site: context.resourceName
    })
  })
}
