/**
 * The values of all lines of one header, in the order in which they came. Node itself drops or joins repeated ones.
 * `name` is in lower case.
 */
export function headerLines (rawHeaders: readonly string[], name: string): readonly string[] {
  return rawHeaders.filter((_text, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name)
}
