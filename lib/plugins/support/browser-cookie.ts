import type { FastifyReply, FastifyRequest } from 'fastify'
import { randomId } from '../../crypto/digest.js'
import { readCookie, setCookie } from './cookies.js'

const NAME = '__Host-mcp-browser'
// 128 bits in base64url.
const BROWSER_ID = /^[A-Za-z0-9_-]{22}$/

/**
 * Answers what tells this browser from every other one, and gives it to a browser that has none. A CSRF token is
 * bound to it (AS-C2). It says nothing about who the user is and never changes at sign-in: not for access decisions.
 * Call it once a request, before the reply is sent.
 */
export function readBrowserId (request: FastifyRequest, reply: FastifyReply): string {
  const known = readCookie(request, NAME)
  if (known !== undefined && BROWSER_ID.test(known)) return known
  const made = randomId()
  setCookie(reply, { name: NAME, value: made })
  return made
}
