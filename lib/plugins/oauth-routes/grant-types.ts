import { InvalidOptionError } from '../../errors.js'
import { clientCredentialsGrant } from '../../oauth/client-credentials-grant.js'
import { codeGrant } from '../../oauth/code-grant.js'
import type { DeviceAuthorizations } from '../../oauth/device-authorizations.js'
import { deviceGrant } from '../../oauth/device-grant.js'
import type { DirectRules } from '../../oauth/direct-grant.js'
import type { GrantTypeReader, GrantTypes } from '../../oauth/grant-type.js'
import { hostGrant } from '../../oauth/host-grant.js'
import { jwtBearerGrant } from '../../oauth/jwt-bearer-grant.js'
import { refreshGrant } from '../../oauth/refresh-grant.js'
import { assertServices, tokenExchangeGrant } from '../../oauth/token-exchange-grant.js'
import { DEVICE_GRANT, JWT_BEARER, TOKEN_EXCHANGE } from '../../protocol/grant-types.js'
import { createAssertionVerifier } from '../../tokens/assertions.js'
import type { OAuthRoutesOptions } from '../../../types/options.js'

const ID_JAG = 'urn:ietf:params:oauth:grant-profile:id-jag'

/** RFC 3986 §4.3, without parts that a grant type has no use for. */
const ABSOLUTE_URI = /^[a-z][a-z0-9+.-]*:[!$-;=@-Z_a-z~]+$/i

/**
 * What the token endpoint can do, in the order of the metadata.
 * @throws {InvalidOptionError} whose message starts with the path of the wrong option.
 */
export function buildGrantTypes (
  options: OAuthRoutesOptions, { rules, devices }: { rules: DirectRules, devices: DeviceAuthorizations | null }
): GrantTypes {
  const { issuer: audience, assertionIssuers: issuers = [], tokenExchange: services = [], grantTypes = {} } = options
  const all = new Map<string, GrantTypeReader>([
    ['authorization_code', codeGrant],
    ['refresh_token', refreshGrant],
    ['client_credentials', clientCredentialsGrant(rules)]
  ])
  if (devices !== null) all.set(DEVICE_GRANT, deviceGrant(devices))
  if (issuers.length > 0) {
    all.set(JWT_BEARER, jwtBearerGrant({ rules, assertions: createAssertionVerifier({ issuers, audience }) }))
  }
  if (services.length > 0) {
    assertServices(services, [audience, ...rules.resources.map(({ resource }) => resource)])
    all.set(TOKEN_EXCHANGE, tokenExchangeGrant(services))
  }
  for (const [name, decide] of Object.entries(grantTypes)) {
    // RFC 6749 §4.5. So that no later version of ours means something else by it.
    if (!ABSOLUTE_URI.test(name)) throw new InvalidOptionError(`grantTypes.${name} must be named by an absolute URI`)
    if (name.startsWith('urn:ietf:')) throw new InvalidOptionError(`grantTypes.${name} must not have a name of the IETF's`)
    all.set(name, hostGrant(name, { decide, rules }))
  }
  return all
}

/** What the metadata says of assertions that are taken (EX-14). */
export function grantProfilesOf ({ assertionIssuers = [] }: OAuthRoutesOptions): readonly string[] {
  return assertionIssuers.some(({ profile }) => profile === 'id-jag') ? [ID_JAG] : []
}
