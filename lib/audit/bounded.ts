const PLAIN = /^[\x20-\x7E]*$/
// Controls, invisible formatting (bidirectional overrides, zero width), line separators and lone surrogates.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

function safe (text: string, max: number): string {
  if (text.length <= max && PLAIN.test(text)) return text
  // Cut before looking: what a client sends may be megabytes. The cut may split a surrogate pair.
  return text.slice(0, max).replace(UNSAFE, '')
}

/** The text without unsafe characters, at most `max` UTF-16 units of it; `null` when there is none. */
export function bounded (text: string | null | undefined, max: number): string | null {
  return text === null || text === undefined ? null : safe(text, max)
}

const NONE: readonly string[] = Object.freeze([])

/** Up to 100 texts, each at most `max` units. The list handed in is never kept. */
export function boundedList (texts: readonly string[] | undefined, max: number): readonly string[] {
  if (texts === undefined || texts.length === 0) return NONE
  return texts.slice(0, 100).map((text) => safe(text, max))
}
