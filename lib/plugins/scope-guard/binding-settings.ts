import type { FastifyInstance } from 'fastify'
import type { Clock } from '../../../types/clock.js'
import type { Secrets } from '../../../types/crypto.js'
import type { ScopeGuardOptions } from '../../../types/options.js'
import type { TokenVerifier } from '../../../types/principal.js'
import { randomId } from '../../crypto/digest.js'
import { deriveSecrets } from '../../crypto/secrets.js'
import { InvalidOptionError } from '../../errors.js'
import type {} from '../pkce-store.js'
import type { AuthenticationSwitch } from './authentication.js'
import { watchStreams, type Streams } from './streams.js'

/** What keeps apart what is given to different principals. */
export interface BindingSettings {
  readonly secrets: Secrets
  readonly clock: Clock
  /** Whether the server has tasks. */
  readonly tasks: boolean
  /** Seconds that a `requestState` is good for. */
  readonly stateLifetime: number
  readonly streams: Streams
}

const STATE_LIFETIME = 600
const STREAM_RECHECK = 1

/** Those of the PKCE store, else what is given, else random: then everything bound ends with the process. */
function secretsOf (fastify: FastifyInstance, given: readonly string[] | undefined): Secrets {
  if (!fastify.hasDecorator('pkceStore')) return deriveSecrets(given ?? [randomId(32)])
  if (given === undefined) return fastify.pkceStore.secrets
  throw new InvalidOptionError('secrets cannot be given beside pkceStore: its own are used')
}

/**
 * Makes ready what binds ids, handles and streams. Looks after streams until the app closes; that a grant of our own
 * store was revoked they hear at once, and those of the anonymous principal end when authentication is switched on.
 * @throws {InvalidOptionError} for secrets that would be for nothing, beside those of the PKCE store.
 */
export async function readBindingSettings (fastify: FastifyInstance, input: {
  readonly verifier: TokenVerifier
  readonly clock: Clock
  readonly authentication: Pick<AuthenticationSwitch, 'onSwitch'>
  readonly options: ScopeGuardOptions
}): Promise<BindingSettings> {
  const { verifier, clock, authentication, options } = input
  const secrets = secretsOf(fastify, options.secrets)
  const streams = watchStreams({ verifier, clock, recheck: options.streamRecheck ?? STREAM_RECHECK })
  fastify.addHook('onClose', async () => { streams.stop() })
  if (fastify.hasDecorator('pkceStore')) {
    fastify.addHook('onClose', await fastify.pkceStore.grants.onRevoked(streams.endGrant))
  }
  authentication.onSwitch((enabled) => { if (enabled) streams.endAnonymous() })
  return {
    secrets,
    clock,
    tasks: (options.tasks ?? false) !== false,
    stateLifetime: options.stateLifetime ?? STATE_LIFETIME,
    streams
  }
}
