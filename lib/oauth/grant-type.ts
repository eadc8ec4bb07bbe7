import type { Form } from '../protocol/form.js'
import type { Client } from '../../types/oauth.js'
import type { SenderBinding } from './sender-binding.js'
import type { TokenAnswer } from './token-answer.js'
import type { TokenContext } from './token-context.js'

/**
 * What an exchange is about: a client that has shown who it is, and what it registered, and what its tokens are to be
 * bound to. `useProof` comes after the last check and before the first write.
 */
export interface ExchangeInput extends SenderBinding {
  readonly client: Client
  readonly context: TokenContext
  readonly now: number
}

/**
 * Decides and answers.
 * @throws {OAuthError} with the precise `reason`; a TokenRefusal as soon as it is known what it is about.
 */
export type Exchange = (input: ExchangeInput) => Promise<TokenAnswer>

/**
 * Reads what a grant type needs of the form, and looks nothing up (AS-T1): no parameter is repeated, except for
 * `resource` and `audience`.
 * @throws {OAuthError} `invalid_request`, `invalid_scope`, `invalid_target`
 */
export type GrantTypeReader = (form: Form) => Exchange

/** What the token endpoint can do, by the value of `grant_type`. */
export type GrantTypes = ReadonlyMap<string, GrantTypeReader>
