import type { Secrets } from '../../types/crypto.js'

/**
 * Makes the token that a form carries (AS-C2). `parts` say what the form is for and in which browser: a purpose, the
 * browser's id, the transaction. Equal parts make equal tokens, so single use comes from the transaction.
 */
export function csrfToken (secrets: Secrets, parts: readonly string[]): string {
  return secrets.mac('csrf', JSON.stringify(parts))
}

/** Constant time. Also true for a token that was made under a secret that has been rotated out of the first place. */
export function verifyCsrf (secrets: Secrets, parts: readonly string[], token: string | undefined): boolean {
  return token !== undefined && secrets.verifyMac('csrf', JSON.stringify(parts), token)
}
