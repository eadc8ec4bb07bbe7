const PLAIN = /^[\x20-\x7E]*$/
// Controls, invisible formatting (bidirectional overrides, zero width), line separators and lone surrogates.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

// What is found plain, since most events repeat the resource, the client, the user, the scopes: a look costs a sixth of
// reading it.
const MAX_KNOWN = 2000
const MAX_KNOWN_LENGTH = 300
const known = new Set<string>()

function isPlain (text: string): boolean {
  if (known.has(text)) return true
  if (!PLAIN.test(text)) return false
  if (known.size >= MAX_KNOWN) known.clear()
  if (text.length <= MAX_KNOWN_LENGTH) known.add(text)
  return true
}

// Cut before looking: what a client sends may be megabytes. The cut may split a surrogate pair.
const cleaned = (text: string, max: number): string => text.slice(0, max).replace(UNSAFE, '')

const safe = (text: string, max: number): string =>
  text.length <= max && isPlain(text) ? text : cleaned(text, max)

/** The text without unsafe characters, at most `max` UTF-16 units of it; `null` when there is none. */
export function bounded (text: string | null | undefined, max: number): string | null {
  return text === null || text === undefined ? null : safe(text, max)
}

/** The same for text that does not come again: it is not kept. */
export function boundedOnce (text: string | null | undefined, max: number): string | null {
  if (text === null || text === undefined) return null
  return text.length <= max && PLAIN.test(text) ? text : cleaned(text, max)
}

const NONE: readonly string[] = Object.freeze([])

const MAX_TEXTS = 100

/** Up to 100 texts, each at most `max` units. The list handed in is kept only when nobody can change it. */
export function boundedList (texts: readonly string[] | undefined, max: number): readonly string[] {
  if (texts === undefined || texts.length === 0) return NONE
  return isKept(texts, max) ? texts : texts.slice(0, MAX_TEXTS).map((text) => safe(text, max))
}

/** A loop: this runs for every event. */
function isKept (texts: readonly string[], max: number): boolean {
  if (texts.length > MAX_TEXTS || !Object.isFrozen(texts)) return false
  for (const text of texts) {
    if (text.length > max || !isPlain(text)) return false
  }
  return true
}
