import { Type } from '@sinclair/typebox'
import { assertOptions } from '../options.js'
import { grantedTags } from '../protocol/tags.js'
import type { CustomVerifierOptions, VerifiedToken } from '../../types/custom-verifier.js'
import type { Principal } from '../../types/principal.js'
import { deepFreeze, isMeantFor } from './claims.js'
import { readConfirmation } from './confirmation.js'
import { InvalidTokenError } from './errors.js'

/** In the year 5138. Larger numbers are milliseconds. */
const MAX_SECONDS = 100_000_000_000

const text = Type.String({ minLength: 1, maxLength: 2048 })
const texts = Type.Unsafe<readonly string[]>(Type.Array(text, { maxItems: 1000 }))
const seconds = Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_SECONDS }))

/** `types/custom-verifier.ts` documents it; a type test holds both equal. */
export const verifiedTokenSchema = Type.Object({
  subject: Type.Union([text, Type.Null()]),
  clientId: text,
  audience: Type.Union([text, texts, Type.Literal(true)]),
  scopes: texts,
  expiresAt: seconds,
  roles: Type.Optional(texts),
  grantId: Type.Optional(text),
  confirmation: Type.Optional(Type.Unsafe<Readonly<Record<string, string>>>(Type.Record(Type.String(), text))),
  authenticatedAt: seconds,
  acr: Type.Optional(text),
  amr: Type.Optional(texts),
  claims: Type.Optional(Type.Unsafe<Readonly<Record<string, unknown>>>(Type.Record(Type.String(), Type.Unknown())))
}, { additionalProperties: false })

type Rules = Pick<CustomVerifierOptions, 'issuer' | 'resource' | 'tenant'>

/**
 * Reads what the host says about a token (RS-14, RS-18, RS-19) and answers whom it stands for, deeply frozen, and
 * apart from whatever the host keeps.
 *
 * @throws {InvalidTokenError} when the token is for another resource, dead, or bound to something unknown.
 * @throws {InvalidOptionError} when the host says something that cannot be: its message starts with `at`, and holds no
 * value.
 */
export function readCustomPrincipal (
  said: VerifiedToken, { issuer, resource, tenant = 'default' }: Rules, { now, at }: { now: number, at: string }
): Principal {
  assertOptions(verifiedTokenSchema, said, at)
  const { subject, clientId, audience, expiresAt = null, scopes, confirmation: cnf } = said
  if (audience !== true && !isMeantFor({ aud: audience }, { resource })) throw new InvalidTokenError('wrong audience')
  if (expiresAt !== null && now >= expiresAt) throw new InvalidTokenError('expired')

  return deepFreeze<Principal>({
    subject: subject === clientId ? null : subject,
    clientId,
    tenant,
    issuer,
    resource,
    scopes: [...new Set(scopes)],
    tags: grantedTags(scopes),
    roles: [...said.roles ?? []],
    grantId: said.grantId ?? null,
    credential: 'custom-token',
    confirmation: cnf === undefined ? null : readConfirmation({ cnf }),
    authenticatedAt: said.authenticatedAt ?? null,
    acr: said.acr ?? null,
    amr: [...said.amr ?? []],
    expiresAt,
    claims: structuredClone(said.claims ?? {})
  })
}
