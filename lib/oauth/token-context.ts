import type { Keyring } from '../crypto/keyring.js'
import type { Secrets } from '../../types/crypto.js'
import type { Lifetimes } from '../../types/oauth.js'
import type { Leniencies } from '../../types/options.js'
import type { ClientAuthenticationContext } from './client-authentication.js'
import type { GrantTypes } from './grant-type.js'
import type { Grants } from './grants.js'
import type { TokenResources } from './resources.js'
import type { ReadSender } from './sender-binding.js'

/** What the endpoints for clients need. Built once, at boot. */
export interface TokenContext extends ClientAuthenticationContext {
  readonly grants: Grants
  readonly keyring: Keyring
  readonly issuer: string
  /** A grant for another resource gets no token here. */
  readonly resources: TokenResources
  readonly tenant: string
  readonly secrets: Secrets
  readonly lifetimes: Lifetimes
  readonly leniencies: Leniencies
  readonly grantTypes: GrantTypes
  /** What requests to the token endpoint show of their sender. */
  readonly readSender: ReadSender
}
