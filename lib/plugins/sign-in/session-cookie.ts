import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Account } from '../../identity/accounts.js'
import type { Session } from '../../identity/sessions.js'
import { clearCookie, readCookie, setCookie } from '../support/cookies.js'
import type { Identity } from './identity.js'

export async function findSession (request: FastifyRequest, identity: Identity): Promise<Session | null> {
  const { sessions, sessionCookie, clock } = identity
  const id = readCookie(request, sessionCookie)
  return id === undefined ? null : await sessions.find(id, clock())
}

/** Always under a new id: one that was known before the password was given is worth nothing afterwards. */
export async function startSession (request: FastifyRequest, reply: FastifyReply, { identity, account }: {
  readonly identity: Identity
  readonly account: Account
}): Promise<void> {
  const { sessions, sessionCookie, clock } = identity
  const before = readCookie(request, sessionCookie)
  if (before !== undefined) await sessions.end(before, clock())
  setCookie(reply, { name: sessionCookie, value: await sessions.start(account, clock()) })
}

/** Ends it in the store, too: a copy of the cookie is worth nothing afterwards. */
export async function endSession (request: FastifyRequest, reply: FastifyReply, identity: Identity): Promise<void> {
  const { sessions, sessionCookie, clock } = identity
  const id = readCookie(request, sessionCookie)
  if (id !== undefined) await sessions.end(id, clock())
  clearCookie(reply, sessionCookie)
}
