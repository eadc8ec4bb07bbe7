import type { Keyring } from '../crypto/keyring.js'
import type { Secrets } from '../../types/crypto.js'
import type { AccessTokenFormat, Lifetimes } from '../../types/oauth.js'
import type { Leniencies } from '../../types/options.js'
import type { ClientAuthenticationContext } from './client-authentication.js'
import type { GrantTypes } from './grant-type.js'
import type { Grants } from './grants.js'
import type { ReadSender } from './sender-binding.js'

/** What the endpoints for clients need. Built once, at boot. */
export interface TokenContext extends ClientAuthenticationContext {
  readonly grants: Grants
  readonly keyring: Keyring
  readonly issuer: string
  /** The MCP endpoint, canonical. A grant for another resource gets no token here. */
  readonly resource: string
  readonly tenant: string
  readonly secrets: Secrets
  readonly lifetimes: Lifetimes
  readonly accessTokenFormat: AccessTokenFormat
  readonly leniencies: Leniencies
  readonly grantTypes: GrantTypes
  /** What requests to the token endpoint show of their sender. */
  readonly readSender: ReadSender
}
