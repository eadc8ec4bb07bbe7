const PLAIN = /^[\x20-\x7E]*$/
// Controls, invisible formatting (bidirectional overrides, zero width), line separators and lone surrogates.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** The text without unsafe characters, at most `max` characters of it; `null` when there is none. */
export function bounded (text: string | null | undefined, max: number): string | null {
  if (text === null || text === undefined) return null
  if (text.length <= max && PLAIN.test(text)) return text
  // Cut before looking: what a client sends may be megabytes. And after: a cut may split a surrogate pair.
  return text.slice(0, max).replace(UNSAFE, '')
}

const NONE: readonly string[] = Object.freeze([])

/** Up to 100 texts, each at most `max` characters. The list handed in is never kept. */
export function boundedList (texts: readonly string[] | undefined, max: number): readonly string[] {
  if (texts === undefined || texts.length === 0) return NONE
  return texts.slice(0, 100).map((text) => bounded(text, max) ?? '')
}
