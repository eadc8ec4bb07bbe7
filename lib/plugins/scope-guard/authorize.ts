import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import type { Principal } from '../../../types/principal.js'
import { decide } from '../../access/decide.js'
import { buildLastWord } from './last-word.js'
import { sendRefusal, type Challenges } from './refusals.js'
import { reportDecisions, reportUnread, type Decided } from './report.js'
import type { IsMcp } from './routes.js'
import type { Settings } from './settings.js'
import { buildAnswerings, buildReadings } from './steps.js'
import { buildVerdict } from './verdict.js'
import { buildWireCheck, checkParams } from './wire.js'
import { audienceOf, readMessage, type Route, type Unread, type Wish } from './wish.js'

interface Asked {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly principal: Principal
  readonly wish: Wish
}

/**
 * The hook that decides what an authenticated request wants, when its body is known: each message at the MCP endpoint,
 * the route's own scopes elsewhere. Of a batch, all has to be allowed or nothing is (RS-31).
 *
 * Reads the wish, decides each operation, asks the host, reports, and refuses or lets through; with `reportOnly` it
 * lets through in any case what could be read. Synchronous unless the host's own answer is a promise.
 */
export function buildAuthorize (input: { settings: Settings, challenges: Challenges, isMcp: IsMcp }) {
  const { settings, challenges, isMcp } = input
  const { clock } = settings
  const checkHeaders = buildWireCheck(settings.spoken)
  const readings = buildReadings(settings)
  const answerings = buildAnswerings(settings)
  const lastWord = buildLastWord(settings.access)
  const refusalOf = buildVerdict({ challenges, hideDenied: settings.hideDenied })

  function read (request: FastifyRequest, principal: Principal, route: Route): Wish | Unread {
    let wish = readMessage(request, route)
    if (route.mcp) wish = checkHeaders(request, wish)
    for (const next of readings) {
      if ('refusal' in wish) return wish
      wish = next(request, wish, principal)
    }
    return wish
  }

  function decideAll (principal: Principal, { operations, policy, filter }: Wish): readonly Decided[] {
    const circumstances = { policy, now: clock, filter }
    const [first] = operations
    // Nearly every request is one operation.
    if (first !== undefined && operations.length === 1) {
      return [{ operation: first, decision: decide(principal, first, circumstances) }]
    }
    return operations.map((operation) => ({ operation, decision: decide(principal, operation, circumstances) }))
  }

  function refuseUnread (request: FastifyRequest, reply: FastifyReply, { reason, refusal, audience }: Unread): void {
    reportUnread(request, reason)
    sendRefusal(reply, refusal, audience)
  }

  /** Answers whether the request may go on; otherwise it is answered. */
  function conclude (asked: Asked, decided: readonly Decided[]): boolean {
    const { request, reply, principal, wish } = asked
    const { reportOnly, policy } = wish
    const refusal = reportOnly ? null : refusalOf(decided, principal)
    const unread = refusal === null ? checkParams(request, wish) : null
    if (unread !== null) {
      refuseUnread(request, reply, unread)
      return false
    }
    reportDecisions(request, principal, { decided, policy, reportOnly })
    if (refusal !== null) {
      sendRefusal(reply, refusal, wish.audience)
      return false
    }
    for (const step of answerings) step(request, reply, wish, principal)
    return true
  }

  // A callback hook that has answered never calls `done`, so nothing that comes later can run.
  return function authorize (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
    const { config: { mcpSecurity: security }, url } = request.routeOptions
    if (security?.public === true) { done(); return }
    const principal = request.mcpAuth
    const mcp = isMcp(url)
    if (principal === null) { sendRefusal(reply, challenges.noToken, audienceOf(mcp)); return }
    const wish = read(request, principal, { settings, mcp, security })
    if ('refusal' in wish) { refuseUnread(request, reply, wish); return }
    const asked: Asked = { request, reply, principal, wish }
    const decided = lastWord(asked, decideAll(principal, wish))
    if (decided instanceof Promise) {
      decided.then((final) => conclude(asked, final)).then((passes) => { if (passes) done() }, done)
    } else if (conclude(asked, decided)) done()
  }
}
