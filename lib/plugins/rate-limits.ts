import fp from 'fastify-plugin'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { RateLimitsSetup } from '../../types/options.js'
import type { LimitedTier } from '../../types/fastify.js'
import { systemClock } from '../clock.js'
import { InvalidOptionError } from '../errors.js'
import { assertOptions, schemas } from '../options.js'
import { addressKeys } from './support/address-key.js'
import { recordEvent } from './support/record-event.js'
import { refuse } from './support/refuse.js'
import { requestCounter } from './support/request-counter.js'

/** Counts one more request of an address. Answers the seconds to wait, 0 when it may go on. */
export type CountRequest = (address: string | undefined) => number
export type Limits = Readonly<Record<'general' | LimitedTier, CountRequest>>

declare module 'fastify' {
  interface FastifyInstance {
    readonly mcpLimits: Limits
  }
}

const DEFAULTS = {
  general: { max: 6000, window: 60 },
  sensitive: { max: 1200, window: 60 },
  registration: { max: 120, window: 3600 }
} as const

function refuseFor (tier: string, wait: number, request: FastifyRequest, reply: FastifyReply): void {
  recordEvent(request, { type: 'rate-limit.exceeded', reason: tier })
  reply.header('retry-after', String(wait))
  refuse(request, reply, {
    status: 429,
    code: 'too_many_requests',
    description: `Too many requests: try again in ${wait} seconds`,
    title: 'Slow down'
  })
}

const rateLimitsPlugin: FastifyPluginAsync<RateLimitsSetup> = async (fastify, options) => {
  assertOptions(schemas.rateLimits, options, 'rateLimits')
  const { clock = systemClock } = options
  const keyOf = addressKeys()

  function limit (tier: keyof typeof DEFAULTS): CountRequest {
    const count = requestCounter(options[tier] ?? DEFAULTS[tier])
    return (address) => count(keyOf(address), clock())
  }
  const limits = Object.freeze({
    general: limit('general'), sensitive: limit('sensitive'), registration: limit('registration')
  })

  fastify.decorate('mcpLimits', limits)
  fastify.addHook('onRoute', ({ url, config }) => {
    const tier = config?.mcpLimit
    if (tier === undefined || tier === 'sensitive' || tier === 'registration') return
    throw new InvalidOptionError(`${url}: config.mcpLimit must be sensitive or registration`)
  })
  fastify.addHook('onRequest', (request, reply, done) => {
    const wait = limits.general(request.ip)
    if (wait > 0) { refuseFor('general', wait, request, reply); return }

    const tier = request.routeOptions.config?.mcpLimit
    const waitForTier = tier === undefined ? 0 : limits[tier](request.ip)
    if (tier !== undefined && waitForTier > 0) refuseFor(tier, waitForTier, request, reply)
    else done()
  })
}

/**
 * Limits how often one address may ask, in three tiers: everything in the scope, and besides it the routes whose
 * config says `mcpLimit: 'sensitive'` or `'registration'`. Answers 429 with `Retry-After` before a body is read
 * (TR-13, AS-T15). Counters are bounded and in memory: every process counts for itself.
 *
 * The address is `request.ip`: behind a proxy, tell Fastify which one to trust (`trustProxy`), or all users share one.
 *
 * @throws {InvalidOptionError} `MCPS_ERR_INVALID_OPTION` at boot; the message starts with the option's path.
 */
export const rateLimits = fp(rateLimitsPlugin, { name: 'mcp-security-rate-limits', fastify: '5.x' })
export default rateLimits
export type { LimitedTier, RouteSecurity } from '../../types/fastify.js'
export type { RateLimit, RateLimitsOptions, RateLimitsSetup } from '../../types/options.js'
