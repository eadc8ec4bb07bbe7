const CONTROL = /\p{Cc}/u
const LONE_SURROGATE = /\p{Cs}/u
const BLANK = /[\s\u2800]+/gu
// Control, format (bidi, zero width, tags), surrogate, private, unassigned characters; letters that show nothing.
const UNSEEN = /[\p{C}\p{Default_Ignorable_Code_Point}]+/gu
const STACKED_MARKS = /(\p{M}{4})\p{M}+/gu

/** Whether the text holds a C0 or C1 control character: NUL, tab, line breaks, DEL. */
export function hasControlCharacters (text: string): boolean {
  return CONTROL.test(text)
}

/** Whether the text can be written as UTF-8: it holds no lone surrogate. */
export function isWellFormed (text: string): boolean {
  return !LONE_SURROGATE.test(text)
}

/**
 * Makes a name that somebody else chose fit to be shown in one line: without control, bidi, zero-width and other
 * invisible characters, blanks collapsed, combining marks bounded, at most `max` code points (the last one is an
 * ellipsis when something was cut off). May answer an empty string. Does *not* escape HTML.
 */
export function plainText (text: string, max: number): string {
  // Bounds the work below; stripping can only shorten.
  const bounded = text.slice(0, 16 * max + 256)
  const plain = bounded.replace(BLANK, ' ').replace(UNSEEN, '').replace(STACKED_MARKS, '$1')
    .replace(BLANK, ' ').trim()
  const points = [...plain]
  return points.length <= max ? plain : `${points.slice(0, max - 1).join('').trimEnd()}…`
}
