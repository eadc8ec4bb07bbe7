import type { FastifyInstance } from 'fastify'
import type { Clock } from '../../../types/clock.js'
import type { ScopeGuardOptions } from '../../../types/options.js'
import type { TokenVerifier } from '../../../types/principal.js'
import { buildPolicy, type Policy } from '../../access/policy.js'
import { systemClock } from '../../clock.js'
import { InvalidOptionError } from '../../errors.js'
import { assertOptions, schemas } from '../../options.js'
import { assertIssuer } from '../../protocol/issuer.js'
import { assertResource } from '../../protocol/resource-uri.js'
import { buildScopeModel } from '../../protocol/scopes.js'
import { defaultScopesOf } from '../support/default-scopes.js'
import type {} from '../pkce-store.js'
import { inOption } from '../support/in-option.js'
import { ownVerifier } from './own-verifier.js'

/** What the options of the guard come to. */
export interface Settings {
  readonly resource: string
  /** Where the MCP endpoint is mounted, prefix included. */
  readonly mcpPath: string
  readonly policy: Policy
  readonly defaultScopes: readonly string[]
  readonly verifier: TokenVerifier
  readonly clock: Clock
}

// Segments that mean the same to every router; none that Fastify takes for a pattern.
const PATH = /^\/(?:[A-Za-z0-9\-._~]+(?:\/[A-Za-z0-9\-._~]+)*)?$/

function assertMcpPath (mcpPath: string, prefix: string): void {
  if (!PATH.test(mcpPath)) {
    throw new InvalidOptionError('mcpPath must be a path of letters, digits and - . _ ~ without a slash at its end')
  }
  if (mcpPath !== prefix && !mcpPath.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`)) {
    throw new InvalidOptionError(`mcpPath must begin with ${prefix}, the prefix of the scope`)
  }
}

/** The host's own verifier, which brings everything along, or ours for the tokens that `oauthRoutes` issues. */
async function verifierOf (fastify: FastifyInstance, options: ScopeGuardOptions): Promise<TokenVerifier> {
  const { verifier, issuer } = options
  if (verifier !== undefined) {
    const vain = (['rememberedTokens', 'recheck'] as const).find((name) => options[name] !== undefined)
    if (vain === undefined) return verifier
    throw new InvalidOptionError(`${vain} cannot be given together with verifier: it remembers tokens by itself`)
  }
  if (issuer === undefined) throw new InvalidOptionError('issuer is required without verifier')
  inOption('issuer ', () => { assertIssuer(issuer) })
  return await ownVerifier(fastify, { ...options, issuer })
}

/**
 * Checks the options and makes ready what each request needs.
 * @throws {InvalidOptionError} whose message starts with the path of the wrong member.
 * @throws {PartOrderError} when there is neither `verifier` nor the PKCE store before the guard.
 */
export async function readSettings (fastify: FastifyInstance, options: ScopeGuardOptions): Promise<Settings> {
  assertOptions(schemas.scopeGuard, options)
  const { resource, scopes, components = [] } = options
  inOption('resource ', () => { assertResource(resource) })
  const { mcpPath = new URL(resource).pathname } = options
  assertMcpPath(mcpPath, fastify.prefix)
  const model = inOption('', () => buildScopeModel(scopes))
  return {
    resource,
    mcpPath,
    policy: inOption('', () => buildPolicy({ model, components })),
    defaultScopes: defaultScopesOf(model, options.defaultScopes),
    verifier: await verifierOf(fastify, options),
    clock: options.clock ?? (fastify.hasDecorator('pkceStore') ? fastify.pkceStore.clock : systemClock)
  }
}
