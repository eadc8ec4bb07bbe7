import { Type, type TObject } from '@sinclair/typebox'
import { InvalidOptionError } from '../errors.js'
import { assertOptions } from '../options.js'
import { isLoopbackHost } from '../protocol/issuer.js'
import { assertResource } from '../protocol/resource-uri.js'
import type { ForeignTokenOptions } from '../../types/foreign-tokens.js'

const url = Type.String({ minLength: 1, maxLength: 2048 })
const name = Type.String({ minLength: 1, maxLength: 200 })
const path = Type.Optional(Type.Union([name, Type.Array(name, { minItems: 1, maxItems: 10 })]))

export const whole = (minimum: number, maximum: number) => Type.Optional(Type.Integer({ minimum, maximum }))

/** The members of `ForeignTokenOptions`. */
export const foreignTokenMembers = {
  issuer: url,
  resource: url,
  audience: Type.Optional(url),
  tenant: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' })),
  claims: Type.Optional(Type.Object({ clientId: path, scopes: path, roles: path }, { additionalProperties: false })),
  rememberedTokens: whole(0, 10_000_000),
  timeoutMs: whole(100, 30_000),
  fetch: Type.Optional(Type.Function([], Type.Unknown()))
}

/**
 * Holds the options of a verifier against its schema, and its addresses against RS-9.
 * @throws {InvalidOptionError} whose message starts with the name of the verifier and the path of the wrong option.
 */
export function assertForeignOptions (
  options: ForeignTokenOptions, { schema, at }: { schema: TObject, at: string }
): void {
  assertOptions(schema, options, at)
  const { issuer, resource } = options
  assertForeignIssuer(issuer, `${at}.issuer`)
  try {
    assertResource(resource)
  } catch (error) {
    throw new InvalidOptionError(`${at}.resource ${String(error).replace(/^TypeError: /, '')}`)
  }
}

/**
 * Checks the issuer of another server (RFC 8414 §2). A slash at its end is its own affair: clients compare all bytes.
 * @throws {InvalidOptionError} whose message starts with `path`.
 */
export function assertForeignIssuer (text: string, path: string): void {
  assertAddress(text, path)
  if (text.includes('?')) throw new InvalidOptionError(`${path} must have no query`)
}

/**
 * Checks an address of another server: https, or http on loopback; no user, no fragment.
 * @throws {InvalidOptionError} whose message starts with `path`.
 */
export function assertAddress (text: string, path: string): void {
  if (!URL.canParse(text)) throw new InvalidOptionError(`${path} must be an absolute URL`)
  const { protocol, hostname, username, password } = new URL(text)
  const isSafe = protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname))
  if (!isSafe) throw new InvalidOptionError(`${path} must be https, or http on loopback`)
  if (username !== '' || password !== '') throw new InvalidOptionError(`${path} must not hold a user`)
  if (text.includes('#')) throw new InvalidOptionError(`${path} must have no fragment`)
}
