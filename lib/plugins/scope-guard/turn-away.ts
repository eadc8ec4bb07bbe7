import type { FastifyReply, FastifyRequest } from 'fastify'
import { recordEvent } from '../support/record-event.js'
import { sendRefusal, type Audience, type Challenges, type Refusal } from './refusals.js'
import type { IsMcp } from './routes.js'
import type { Shown } from './sender.js'
import type { Settings } from './settings.js'

const RPC: Audience = { rpc: true, id: null }
const PLAIN: Audience = { rpc: false }

/** How a request is refused whose token, or whose lack of one, is the reason. */
export function buildTurnAway (input: { settings: Settings, challenges: Challenges, isMcp: IsMcp }) {
  const { settings: { resource }, challenges, isMcp } = input
  return {
    /** `reason` is for the audit event. */
    turnAway (request: FastifyRequest, reply: FastifyReply, refusal: Refusal, reason: string): void {
      recordEvent(request, { type: 'access.denied', reason, resource })
      sendRefusal(reply, refusal, isMcp(request.routeOptions.url) ? RPC : PLAIN)
    },

    /** What is wrong with a token is told about the scheme under which it was shown. */
    badTokenFor: ({ scheme }: Pick<Shown, 'scheme'>): Refusal =>
      scheme === 'dpop' ? challenges.badBoundToken : challenges.badToken
  }
}
