import { Type, type Static, type TObject, type TSchema } from '@sinclair/typebox'
import { InvalidOptionError } from '../errors.js'
import { assertOptions } from '../options.js'
import { isLoopbackHost } from '../protocol/issuer.js'
import { assertResource } from '../protocol/resource-uri.js'
import type { ForeignTokenOptions, SignatureAlgorithm } from '../../types/foreign-tokens.js'
import { SIGNATURE_ALGORITHMS } from './foreign-jws.js'

const closed = { additionalProperties: false }
const whole = (minimum: number, maximum: number) => Type.Optional(Type.Integer({ minimum, maximum }))
const some = <T extends TSchema>(item: T) =>
  Type.Unsafe<readonly Static<T>[]>(Type.Array(item, { minItems: 1, maxItems: 10 }))
const url = Type.String({ minLength: 1, maxLength: 2048 })
const name = Type.String({ minLength: 1, maxLength: 200 })
const secret = Type.String({ minLength: 1, maxLength: 1000 })
const path = Type.Optional(Type.Union([name, some(name)]))
const algorithm = Type.Unsafe<SignatureAlgorithm>(Type.Union(SIGNATURE_ALGORITHMS.map((one) => Type.Literal(one))))

const members = {
  issuer: url,
  resource: url,
  audience: Type.Optional(url),
  tenant: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' })),
  claims: Type.Optional(Type.Object({ clientId: path, scopes: path, roles: path }, closed)),
  scopePrefix: Type.Optional(Type.String({ pattern: '^[!#-<>-[\\]-~]{1,90}$' })),
  rememberedTokens: whole(0, 10_000_000),
  timeoutMs: whole(100, 30_000),
  fetch: Type.Optional(Type.Unsafe<typeof fetch>(Type.Function([], Type.Unknown())))
}

/** Of the other server, unless the options say otherwise. */
export const DEFAULT_ALGORITHMS: readonly SignatureAlgorithm[] = ['RS256', 'PS256', 'ES256', 'EdDSA']

/** `types/foreign-tokens.ts` documents them; a type test holds both equal. */
export const foreignSchemas = {
  jwksVerifier: Type.Object({
    ...members,
    jwksUri: url,
    algorithms: Type.Optional(some(algorithm)),
    types: Type.Optional(some(Type.String({ minLength: 1, maxLength: 100 }))),
    untyped: Type.Optional(Type.Boolean()),
    recheck: whole(0, 3600),
    keysMaxAge: whole(60, 86_400),
    keysMaxStale: whole(0, 86_400),
    keysCooldown: whole(1, 300)
  }, closed),
  introspectionVerifier: Type.Object({
    ...members,
    introspectionEndpoint: url,
    clientId: secret,
    clientSecret: secret,
    clientAuthentication:
      Type.Optional(Type.Union([Type.Literal('client_secret_basic'), Type.Literal('client_secret_post')])),
    signedAnswers: Type.Optional(Type.Object({ jwksUri: url, algorithms: Type.Optional(some(algorithm)) }, closed)),
    recheck: whole(0, 60),
    maxConcurrent: whole(1, 10_000)
  }, closed)
}

/**
 * Holds the options of a verifier against its schema, and its addresses as well.
 * @throws {InvalidOptionError} whose message starts with the name of the verifier and the path of the wrong option.
 */
export function assertForeignOptions (
  options: ForeignTokenOptions, { schema, at }: { schema: TObject, at: string }
): void {
  assertOptions(schema, options, at)
  assertForeignAddresses(options, at)
}

/**
 * Checks issuer and resource (RS-9).
 * @throws {InvalidOptionError} whose message starts with `at` and the path of the wrong one.
 */
export function assertForeignAddresses (
  { issuer, resource }: Pick<ForeignTokenOptions, 'issuer' | 'resource'>, at: string
): void {
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
