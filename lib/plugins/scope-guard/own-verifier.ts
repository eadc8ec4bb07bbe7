import type { FastifyInstance } from 'fastify'
import type { ScopeGuardOptions } from '../../../types/options.js'
import type { TokenVerifier } from '../../../types/principal.js'
import { PartOrderError } from '../../errors.js'
import { createOwnTokenVerifier } from '../../tokens/own-token-verifier.js'
import type {} from '../pkce-store.js'

// Half of them are never forgotten in favour of newer ones. About 1.6 KB each, most of it the token and its claims.
const REMEMBERED = 200_000
const RECHECK = 5

/**
 * Verifies the tokens that `oauthRoutes` issues. A revocation in this process takes effect at once, one elsewhere
 * when the store's message arrives, at the latest after `recheck` seconds.
 * @throws {PartOrderError} when the PKCE store is not registered before.
 */
export async function ownVerifier (
  fastify: FastifyInstance, options: ScopeGuardOptions & { readonly issuer: string }
): Promise<TokenVerifier> {
  if (!fastify.hasDecorator('pkceStore')) {
    throw new PartOrderError('scopeGuard needs options.verifier, or pkceStore registered before it')
  }
  const { keyring, secrets, tenant, grants } = fastify.pkceStore
  const { issuer, resource, rememberedTokens: remembered = REMEMBERED, recheck = RECHECK } = options
  const verifier = createOwnTokenVerifier({
    keyring,
    secrets,
    issuer,
    resource,
    tenant,
    findGrant: grants.find,
    versionOf: grants.versionOf,
    remembered,
    recheck
  })
  fastify.addHook('onClose', await grants.onRevoked(verifier.forget))
  return verifier
}
