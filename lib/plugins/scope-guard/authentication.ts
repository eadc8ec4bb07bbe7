import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { AuthenticationOptions, Authentication } from '../../../types/guard.js'
import type { Principal } from '../../../types/principal.js'
import { buildAnonymous } from '../../access/anonymous.js'
import type { Policy } from '../../access/policy.js'
import { InvalidOptionError, OpenServerError } from '../../errors.js'
import { whyNotLocal } from '../../protocol/local-request.js'
import { grantedTags } from '../../protocol/tags.js'
import type {} from '../audit-hook.js'
import type {} from '../pkce-store.js'
import { isOpenServer, watchListen } from './listening.js'

/** Whether a request without a token is refused, and who sends it otherwise. */
export interface AuthenticationSwitch extends Authentication {
  /** The anonymous principal, or why it is not that one's request: a stable phrase. */
  anonymousFor (request: FastifyRequest): Principal | string
  /** Calls back whenever it has been switched. */
  onSwitch (listener: (enabled: boolean) => void): void
}

const WORDS = new Map([['on', true], ['true', true], ['1', true], ['off', false], ['false', false], ['0', false]])

function enabledAtBoot ({ enabled = true, environment }: AuthenticationOptions): boolean {
  const value = environment === undefined ? undefined : process.env[environment]
  if (value === undefined || value === '') return enabled
  const word = WORDS.get(value.toLowerCase())
  if (word === undefined) throw new InvalidOptionError('authentication.environment names a variable that says neither on nor off')
  return word
}

function anonymousOf (
  fastify: FastifyInstance, { anonymous }: AuthenticationOptions, { resource, policy }: Circumstances
): Principal | null {
  if (anonymous === undefined) return null
  const unknown = anonymous.scopes.findIndex((scope) => !policy.knows(scope))
  if (unknown !== -1) {
    throw new InvalidOptionError(`authentication.anonymous.scopes.${unknown} is neither a scope of the catalogue nor that of a tag`)
  }
  const tenant = fastify.hasDecorator('pkceStore') ? fastify.pkceStore.tenant : 'default'
  return buildAnonymous({ ...anonymous, resource, tenant, tags: grantedTags(anonymous.scopes) })
}

interface Circumstances {
  readonly resource: string
  readonly policy: Policy
}

const OPEN = 'authentication is off: the app must listen on loopback, or authentication.beyondLoopback be true'
const NOBODY = 'authentication.anonymous is required where authentication can be off'

/**
 * Makes ready what `authentication` says, and holds the app to it when it starts to listen.
 * @throws {InvalidOptionError} whose message starts with the path of the wrong member.
 */
export function buildAuthentication (
  fastify: FastifyInstance, options: AuthenticationOptions, circumstances: Circumstances
): AuthenticationSwitch {
  const { resource } = circumstances
  const { environment, beyondLoopback = false } = options
  const anonymous = anonymousOf(fastify, options, circumstances)
  const listeners: Array<(enabled: boolean) => void> = []
  let enabled = enabledAtBoot(options)
  if (anonymous === null && (!enabled || environment !== undefined)) throw new InvalidOptionError(NOBODY)

  function report (): void {
    const operation = enabled ? 'authentication on' : 'authentication off'
    if (enabled) fastify.log.info(operation)
    else fastify.log.warn(`${operation}: a request without a token is the anonymous principal's`)
    if (fastify.hasDecorator('mcpAudit')) fastify.mcpAudit({ type: 'configuration.changed', operation, resource })
  }

  function set (wanted: boolean): void {
    if (typeof wanted !== 'boolean') throw new InvalidOptionError('enabled must be boolean')
    if (wanted === enabled) return
    if (!wanted && anonymous === null) throw new InvalidOptionError(NOBODY)
    if (!wanted && !beyondLoopback && isOpenServer(fastify.server)) throw new OpenServerError(OPEN)
    enabled = wanted
    report()
    for (const listener of listeners) listener(enabled)
  }

  if (!beyondLoopback && anonymous !== null) {
    watchListen(fastify.server, () => enabled ? null : new OpenServerError(OPEN))
  }
  if (!enabled) fastify.addHook('onReady', async () => { if (!enabled) report() })

  return {
    get enabled () { return enabled },
    set,
    onSwitch: (listener) => { listeners.push(listener) },
    anonymousFor (request) {
      if (enabled || anonymous === null) return 'no token'
      if (beyondLoopback) return anonymous
      const { socket, headers, httpVersion } = request.raw
      const { remoteAddress, localAddress } = socket
      return whyNotLocal({ remoteAddress, localAddress, headers, httpVersion }) ?? anonymous
    }
  }
}
