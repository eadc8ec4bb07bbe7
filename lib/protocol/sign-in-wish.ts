import { single, type Form } from './form.js'
import { OAuthError } from './oauth-error.js'

/** What a client asks of the sign-in behind an authorization (OpenID Connect Core §3.1.2.1, RFC 9470 §4). */
export interface SignInWish {
  /** `prompt=none`: no page may come up. */
  readonly silent: boolean
  /** `prompt=login`: the user is to sign in again. */
  readonly again: boolean
  /** `max_age`: how long ago the user may have signed in, in seconds. */
  readonly maxAge: number | undefined
  /** `acr_values`: one of them is to be met. Empty when it does not matter. */
  readonly acrValues: readonly string[]
  /** `login_hint`: who is likely to sign in. What the client says, and nothing more. */
  readonly loginHint: string | undefined
}

const INTERACTIVE_PROMPTS = ['login', 'consent', 'select_account']
const SECONDS = /^\d{1,9}$/
const MAX_HINT = 255
const MAX_ACR = { values: 10, length: 1000 }

const NO_WISH: SignInWish = { silent: false, again: false, maxAge: undefined, acrValues: [], loginHint: undefined }

/**
 * Reads `prompt`, `max_age`, `acr_values` and `login_hint`. Unknown prompts are ignored (AS-A16).
 * @throws {OAuthError} `invalid_request` for `none` beside another prompt, for a `max_age` that is no number of
 * seconds, for more than 10 `acr_values` and for a `login_hint` of more than 255 characters.
 */
export function readSignInWish (form: Form): SignInWish {
  const prompts = wordsOf(single(form, 'prompt'))
  const silent = prompts.includes('none')
  if (silent && INTERACTIVE_PROMPTS.some((prompt) => prompts.includes(prompt))) {
    throw refusal('prompt none must stand alone')
  }
  const maxAge = single(form, 'max_age')
  if (maxAge !== undefined && !SECONDS.test(maxAge)) throw refusal('max_age must be a number of seconds')
  return {
    silent,
    again: prompts.includes('login'),
    maxAge: maxAge === undefined ? undefined : Number(maxAge),
    acrValues: readAcrValues(single(form, 'acr_values')),
    loginHint: readHint(single(form, 'login_hint'))
  }
}

/** The same of a request that may be wrong: whatever cannot be read is not wished, but for being silent. */
export function signInWishOf (form: Form): SignInWish {
  try {
    return readSignInWish(form)
  } catch {
    return { ...NO_WISH, silent: form.get('prompt')?.some((value) => wordsOf(value).includes('none')) === true }
  }
}

function readAcrValues (text: string | undefined): readonly string[] {
  if (text !== undefined && text.length > MAX_ACR.length) throw refusal('acr_values is too long')
  const values = wordsOf(text)
  if (values.length > MAX_ACR.values) throw refusal('acr_values names too many')
  return values
}

function readHint (hint: string | undefined): string | undefined {
  if (hint !== undefined && hint.length > MAX_HINT) throw refusal('login_hint is too long')
  return hint
}

function wordsOf (text = ''): readonly string[] {
  return text.split(' ').filter((word) => word !== '')
}

function refusal (description: string): OAuthError {
  return new OAuthError({ code: 'invalid_request', description })
}
