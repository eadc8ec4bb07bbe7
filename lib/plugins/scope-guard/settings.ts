import type { FastifyInstance } from 'fastify'
import type { TagLimits } from '../../../types/access.js'
import type { Clock } from '../../../types/clock.js'
import type { AccessCheck } from '../../../types/guard.js'
import type { ScopeGuardOptions } from '../../../types/options.js'
import type { TokenVerifier } from '../../../types/principal.js'
import type { Policy } from '../../access/policy.js'
import { systemClock } from '../../clock.js'
import { InvalidOptionError } from '../../errors.js'
import { assertOptions, schemas } from '../../options.js'
import { PROTOCOL_VERSIONS, spokenVersions, type SpokenVersions } from '../../protocol/mcp-version.js'
import { assertResource } from '../../protocol/resource-uri.js'
import { TAG_LIMITS } from '../../protocol/tags.js'
import { defaultScopesOf } from '../support/default-scopes.js'
import type {} from '../pkce-store.js'
import { inOption } from '../support/in-option.js'
import { buildLivePolicy, shareLivePolicy, type LivePolicy } from '../support/live-policy.js'
import { ownVerifier } from '../support/own-verifier.js'
import { buildAuthentication, type AuthenticationSwitch } from './authentication.js'
import { readBindingSettings, type BindingSettings } from './binding-settings.js'
import { readSenderSettings, type SenderSettings } from './sender-settings.js'

/** What the options of the guard come to. */
export interface Settings {
  readonly resource: string
  /** Where the MCP endpoint is mounted, prefix included. */
  readonly mcpPath: string
  readonly components: LivePolicy
  readonly tagLimits: TagLimits
  /** The policy of this moment: hold on to it for one request at most, since a host may replace its components. */
  policy (): Policy
  /** The revisions of the protocol that this endpoint speaks. */
  readonly spoken: SpokenVersions
  readonly defaultScopes: readonly string[]
  /** Whether what would be denied passes, and is reported only. */
  readonly reportOnly: boolean
  /** Whether a denied component is answered as one that does not exist. */
  readonly hideDenied: boolean
  /** The host's last word, where it has one. */
  readonly access: AccessCheck | undefined
  /** Whether a request without a token is refused. */
  readonly authentication: AuthenticationSwitch
  readonly verifier: TokenVerifier
  readonly sender: SenderSettings
  readonly clock: Clock
  readonly bindings: BindingSettings
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
  const { resource, rememberedTokens, recheck } = options
  return await ownVerifier(fastify, {
    issuer,
    resource,
    ...(rememberedTokens === undefined ? {} : { rememberedTokens }),
    ...(recheck === undefined ? {} : { recheck })
  })
}

/**
 * Checks the options and makes ready what each request needs.
 * @throws {InvalidOptionError} whose message starts with the path of the wrong member.
 * @throws {PartOrderError} when there is neither `verifier` nor the PKCE store before the guard.
 */
export async function readSettings (fastify: FastifyInstance, options: ScopeGuardOptions): Promise<Settings> {
  assertOptions(schemas.scopeGuard, options)
  const { resource, reportOnly = false, hideDenied = false, authentication = {} } = options
  inOption('resource ', () => { assertResource(resource) })
  const { mcpPath = new URL(resource).pathname } = options
  assertMcpPath(mcpPath, fastify.prefix)
  const components = buildLivePolicy(options)
  shareLivePolicy(fastify.server, resource, components)
  const { policy } = components
  const verifier = await verifierOf(fastify, options)
  const switchable = buildAuthentication(fastify, authentication, { resource, policy: policy() })
  const clock = options.clock ?? (fastify.hasDecorator('pkceStore') ? fastify.pkceStore.clock : systemClock)
  const bindings = await readBindingSettings(fastify, { verifier, clock, authentication: switchable, options })
  return {
    resource,
    mcpPath,
    components,
    tagLimits: { ...TAG_LIMITS, ...options.tagLimits },
    policy,
    spoken: spokenVersions(options.protocolVersions ?? PROTOCOL_VERSIONS),
    reportOnly,
    hideDenied,
    access: options.access,
    authentication: switchable,
    defaultScopes: defaultScopesOf(components.model, options.defaultScopes),
    verifier,
    sender: readSenderSettings(fastify, options, bindings.secrets),
    bindings,
    clock
  }
}
