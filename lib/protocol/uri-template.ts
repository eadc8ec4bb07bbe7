/** A URI template that was read (RFC 6570). */
export interface UriTemplate {
  /** As written. */
  readonly text: string
  /** With `x` for every variable. */
  readonly sample: string
  /** Whether some values of the variables, each of at least one character, make this text of the template. */
  matches (uri: string): boolean
}

/** What stands between the first and the last literal: variables, and the literals between them. */
type Part = { readonly literal: string } | { readonly simple: boolean }

const VARIABLE = /\{(\+?)(?:[A-Za-z0-9_](?:\.?[A-Za-z0-9_])*)\}/g
const MAX_VARIABLES = 20

// RFC 6570 §3.2.2: simple expansion writes none of the reserved characters. These three would end a path segment.
const endsSegment = (character: string): boolean => character === '/' || character === '?' || character === '#'

/**
 * Reads a template of level 1, `{name}`, with reserved expansion, `{+name}`, besides (RFC 6570 §1.2). What
 * stands between the variables is put through `decode`.
 * @throws {TypeError} for every other expression, no variable or more than 20, and braces anywhere else. The message
 * goes on from the option's path: `must ...`.
 */
export function readUriTemplate (text: string, decode = (literal: string): string => literal): UriTemplate {
  const variables = [...text.matchAll(VARIABLE)]
  const literals = text.split(/\{[^{}]*\}/)
  if (variables.length === 0 || variables.length > MAX_VARIABLES || literals.length !== variables.length + 1 ||
    literals.some((literal) => /[{}]/.test(literal))) {
    throw new TypeError('must be a URI template with 1 to 20 variables, each {name} or {+name}')
  }
  const first = decode(text.slice(0, text.indexOf('{')))
  const last = decode(text.slice(text.lastIndexOf('}') + 1))
  const between = literals.slice(1, -1).map(decode)
  const parts = variables.flatMap(([, operator], index): Part[] =>
    [{ simple: operator === '' }, ...between.slice(index, index + 1).filter(Boolean).map((literal) => ({ literal }))])
  return {
    text,
    sample: literals.join('x'),
    matches: (uri) => uri.startsWith(first) && uri.endsWith(last) &&
      match(parts, uri.slice(first.length, uri.length - last.length))
  }
}

/** Which positions of a text can be reached: 1 where one can. */
type Reached = Uint8Array

/** Follows all readings at once, so that no text takes longer than its length times that of the template. */
function match (parts: readonly Part[], inner: string): boolean {
  let reached: Reached = new Uint8Array(inner.length + 1)
  reached[0] = 1
  for (const part of parts) {
    reached = 'literal' in part ? afterLiteral(reached, part.literal, inner) : afterVariable(reached, part.simple, inner)
  }
  return reached[inner.length] === 1
}

function afterLiteral (reached: Reached, literal: string, inner: string): Reached {
  const next = new Uint8Array(reached.length)
  for (let at = inner.indexOf(literal); at !== -1; at = inner.indexOf(literal, at + 1)) {
    if (reached[at] === 1) next[at + literal.length] = 1
  }
  return next
}

function afterVariable (reached: Reached, simple: boolean, inner: string): Reached {
  const next = new Uint8Array(reached.length)
  let running = false
  for (let at = 0; at < inner.length; at++) {
    running = (running || reached[at] === 1) && !(simple && endsSegment(inner.charAt(at)))
    if (running) next[at + 1] = 1
  }
  return next
}
