import { OAuthError } from './oauth-error.js'
import { isWellFormed } from './text.js'

/** Every value that each parameter was given, decoded, in order. */
export type Form = ReadonlyMap<string, readonly string[]>

const MAX_LENGTH = 65_536
// The largest catalogue ticked on one consent page (100 scopes), and what else that page sends.
const MAX_PARAMETERS = 128
// As it is or escaped; an escaped percent sign before two zeros is no NUL.
const NUL = /\0|%00/

/**
 * Reads `application/x-www-form-urlencoded` text, strictly: what other parsers repair is refused here, so that no
 * two parsers can read one request differently. At most 65 536 characters and 128 parameters.
 * @throws {OAuthError} `invalid_request` on NUL, lone surrogates, bad percent-encoding, bytes that are not UTF-8,
 * and on anything over those bounds (413 for the length).
 */
export function readForm (text: string): Form {
  if (text.length > MAX_LENGTH) throw refusal('the request is too long', 413)
  // Escapes cannot add a lone surrogate: they are bytes of UTF-8.
  if (NUL.test(text) || !isWellFormed(text)) throw refusal('the request holds characters that are not text')
  const form = new Map<string, string[]>()
  const pairs = text.split('&', MAX_PARAMETERS + 1)
  if (pairs.length > MAX_PARAMETERS) throw refusal('the request has too many parameters')
  for (const pair of pairs) {
    if (pair !== '') addPair(form, pair)
  }
  return form
}

/** Reads the query of a request target: what follows the first `?`, or nothing. Bounds and errors of `readForm`. */
export function formOfQuery (target: string): Form {
  const start = target.indexOf('?')
  return readForm(start === -1 ? '' : target.slice(start + 1))
}

/**
 * The value of a parameter. An empty value counts as omitted (AS-A1).
 * @throws {OAuthError} `invalid_request` when the parameter is repeated. `name` goes on the wire.
 */
export function single (form: Form, name: string): string | undefined {
  const values = form.get(name)
  if (values === undefined) return undefined
  if (values.length > 1) throw refusal(`${name} must not be repeated`)
  return values[0] === '' ? undefined : values[0]
}

/**
 * Refuses a request with any repeated parameter, known or unknown (AS-A1, AS-T1).
 * @throws {OAuthError} `invalid_request`; does not name the parameter, which is input.
 */
export function assertNoRepeats (form: Form, exceptions: readonly string[] = []): void {
  for (const [name, values] of form) {
    if (values.length > 1 && !exceptions.includes(name)) throw refusal('a parameter is repeated')
  }
}

function addPair (form: Map<string, string[]>, pair: string): void {
  const equals = pair.indexOf('=')
  const name = decode(equals === -1 ? pair : pair.slice(0, equals))
  const value = equals === -1 ? '' : decode(pair.slice(equals + 1))
  const values = form.get(name)
  if (values === undefined) form.set(name, [value])
  else values.push(value)
}

function decode (text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw refusal('the request is not encoded as a form')
  }
}

function refusal (description: string, status = 400): OAuthError {
  return new OAuthError({ code: 'invalid_request', description, status })
}
