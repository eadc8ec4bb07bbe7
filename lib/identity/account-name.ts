const NAME = /^[\p{L}\p{M}\p{N}._@-]{1,64}$/u
const BEGINNING = /^[\p{L}\p{N}]/u

/**
 * Answers the one spelling under which an account is kept: NFKC, lower case, spaces around it dropped. `null` for
 * what cannot name an account: 1 to 64 letters, digits, `.`, `_`, `-` and `@`, the first a letter or digit.
 * Normalising twice changes nothing.
 */
export function normaliseAccountName (text: string): string | null {
  // NFKC can make four characters of one, never fewer than one of four hundred.
  if (text.length > 400) return null
  const name = fold(text.replace(/^ +| +$/g, ''))
  return NAME.test(name) && BEGINNING.test(name) && fold(name) === name ? name : null
}

// Compatibility characters may hide capitals, and lower case may come apart: so fold in between and afterwards.
function fold (text: string): string {
  return text.normalize('NFKC').toLowerCase().normalize('NFKC')
}
