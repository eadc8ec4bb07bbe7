import { hasControlCharacters, isWellFormed } from '../protocol/text.js'
import { isCommonPassword } from './common-passwords.js'
import { MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH, normalisePassword } from './passwords.js'

/**
 * Answers why a password cannot be chosen, in a sentence for the one who chooses it; `null` when it can. Asks for
 * length and for nothing else but that it is hard to guess (NIST SP 800-63B §5.1.1.2).
 */
export function weaknessOf (password: string, accountName: string): string | null {
  if (password.length > 2 * MAX_PASSWORD_LENGTH) return TOO_LONG
  const text = normalisePassword(password)
  const length = [...text].length
  if (length < MIN_PASSWORD_LENGTH) return `The password must have at least ${MIN_PASSWORD_LENGTH} characters.`
  if (length > MAX_PASSWORD_LENGTH) return TOO_LONG
  if (hasControlCharacters(text) || !isWellFormed(text)) return 'The password contains characters that cannot be typed.'
  if (isCommonPassword(text)) return 'That password is one of the first that anybody would guess.'
  if (text.toLowerCase() === accountName) return 'The password must not be the account name.'
  return null
}

const TOO_LONG = `The password must have at most ${MAX_PASSWORD_LENGTH} characters.`
