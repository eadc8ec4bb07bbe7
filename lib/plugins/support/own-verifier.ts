import type { FastifyInstance } from 'fastify'
import type { OwnVerifierOptions } from '../../../types/options.js'
import type { TokenVerifier } from '../../../types/principal.js'
import { PartOrderError } from '../../errors.js'
import { assertOptions, schemas } from '../../options.js'
import { assertIssuer } from '../../protocol/issuer.js'
import { assertResource } from '../../protocol/resource-uri.js'
import { createOwnTokenVerifier } from '../../tokens/own-token-verifier.js'
import type {} from '../pkce-store.js'
import { inOption } from './in-option.js'

// Half of them are never forgotten in favour of newer ones. About 1.6 KB each, most of it the token and its claims.
const REMEMBERED = 200_000
const RECHECK = 5

/**
 * Verifies the tokens that `oauthRoutes` issues, as `scopeGuard` does without a `verifier`. For a guard that takes
 * those of other servers as well:
 *
 * ```ts
 * const own = await ownVerifier(app, { issuer, resource })
 * const verifier = chosenVerifier({ issuers: { [issuer]: own, [staff.issuer]: jwksVerifier(staff) }, opaque: own })
 * ```
 *
 * A revocation in this process takes effect at once, one elsewhere when the store's message arrives, at the latest
 * after `recheck` seconds.
 *
 * @throws {InvalidOptionError} `MCPS_ERR_INVALID_OPTION`; the message starts with the option's path.
 * @throws {PartOrderError} when the PKCE store is not registered before.
 */
export async function ownVerifier (fastify: FastifyInstance, options: OwnVerifierOptions): Promise<TokenVerifier> {
  assertOptions(schemas.ownVerifier, options)
  const { issuer, resource, rememberedTokens: remembered = REMEMBERED, recheck = RECHECK } = options
  inOption('issuer ', () => { assertIssuer(issuer) })
  inOption('resource ', () => { assertResource(resource) })
  if (!fastify.hasDecorator('pkceStore')) {
    throw new PartOrderError('tokens of our own need pkceStore registered before, or another verifier')
  }
  const { keyring, secrets, tenant, grants } = fastify.pkceStore
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
export default ownVerifier
export type { OwnVerifierOptions } from '../../../types/options.js'
export type { Principal, TokenVerifier } from '../../../types/principal.js'
