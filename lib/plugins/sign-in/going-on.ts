import type { FastifyReply } from 'fastify'
import { readReturnTo } from '../../identity/return-to.js'
import type { Identity } from './identity.js'

// 303 everywhere: a 307 would carry the password along (AS-A12). Relative, so that no host is named.

/** How the sign-in page is to come up. */
export interface SignInPageWish {
  /** Also for a browser in which somebody is signed in. */
  readonly again?: boolean
  /** What stands in the field for the name. */
  readonly name?: string | undefined
}

/** Sends a browser to the sign-in page, and back to `target` afterwards if that is a page of ours for users. */
export function sendToSignIn (
  reply: FastifyReply, paths: Identity['paths'], target: string | undefined, { again = false, name }: SignInPageWish = {}
): FastifyReply {
  const returnTo = readReturnTo(target, paths.goingOn)
  const query = [
    ...(returnTo === null ? [] : [`return_to=${encodeURIComponent(returnTo)}`]),
    ...(again ? ['again=yes'] : []),
    ...(name === undefined ? [] : [`name=${encodeURIComponent(name)}`])
  ]
  return reply.redirect(query.length === 0 ? paths.signIn : `${paths.signIn}?${query.join('&')}`, 303)
}

/** Sends a browser that has just signed in to where it came from; to the page that says so when that is nowhere. */
export function sendOn (reply: FastifyReply, paths: Identity['paths'], target: string | undefined): FastifyReply {
  return reply.redirect(readReturnTo(target, paths.goingOn) ?? paths.signIn, 303)
}
