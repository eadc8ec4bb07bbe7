import type { FastifyReply } from 'fastify'
import { readReturnTo } from '../../identity/return-to.js'
import type { Identity } from './identity.js'

// 303 everywhere: a 307 would carry the password along (AS-A12). Relative, so that no host is named.

/** Sends a browser to the sign-in page, and back to `target` afterwards if that is a page of ours for users. */
export function sendToSignIn (reply: FastifyReply, paths: Identity['paths'], target: string | undefined): FastifyReply {
  const returnTo = readReturnTo(target, paths.goingOn)
  const query = returnTo === null ? '' : `?return_to=${encodeURIComponent(returnTo)}`
  return reply.redirect(`${paths.signIn}${query}`, 303)
}

/** Sends a browser that has just signed in to where it came from; to the page that says so when that is nowhere. */
export function sendOn (reply: FastifyReply, paths: Identity['paths'], target: string | undefined): FastifyReply {
  return reply.redirect(readReturnTo(target, paths.goingOn) ?? paths.signIn, 303)
}
