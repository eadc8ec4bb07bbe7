import { Type } from '@sinclair/typebox'
import type { SignatureAlgorithm } from '../types/foreign-tokens.js'
import type { AssertionIssuer, EnterpriseIssuer, HostGrant } from '../types/grant-options.js'
import { callback, closed, list, name, scopeName, url, whole } from './option-parts.js'
import { SIGNATURE_ALGORITHMS } from './tokens/foreign-jws.js'

const algorithm = Type.Unsafe<SignatureAlgorithm>(Type.Union(SIGNATURE_ALGORITHMS.map((one) => Type.Literal(one))))

const issuerMembers = {
  issuer: url,
  jwksUri: url,
  algorithms: Type.Optional(list(algorithm, { minItems: 1, maxItems: 10 })),
  timeoutMs: whole(100, 30_000)
}
const issuerCode = { fetch: Type.Optional(callback<typeof fetch>()) }

const enterprise = {
  ...issuerMembers,
  profile: Type.Literal('id-jag'),
  scopes: Type.Optional(list(scopeName, { minItems: 1 }))
}
const workload = {
  ...issuerMembers,
  profile: Type.Literal('workload'),
  workloads: list(Type.Object({
    clientId: name,
    claims: Type.Unsafe<Readonly<Record<string, string>>>(
      Type.Record(Type.String(), name, { minProperties: 1, maxProperties: 20 }))
  }, closed), { minItems: 1 })
}

const assertionIssuer = Type.Unsafe<AssertionIssuer>(Type.Union([
  Type.Object({ ...enterprise, ...issuerCode, user: Type.Optional(callback<NonNullable<EnterpriseIssuer['user']>>()) }, closed),
  Type.Object({ ...workload, ...issuerCode }, closed)
]))

const exchangeService = Type.Object({
  audience: url,
  clients: list(name, { minItems: 1 }),
  scopes: list(scopeName, { minItems: 1 })
}, closed)

export const grantMembers = {
  assertionIssuers: Type.Optional(list(assertionIssuer, { minItems: 1, maxItems: 100 })),
  tokenExchange: Type.Optional(list(exchangeService, { minItems: 1, maxItems: 100 })),
  grantTypes: Type.Optional(Type.Unsafe<Readonly<Record<string, HostGrant>>>(
    Type.Record(name, callback<HostGrant>(), { minProperties: 1, maxProperties: 100 })))
}

/** Of these, what a configuration file may say. */
export const configurableGrants = {
  assertionIssuers: Type.Optional(list(Type.Union([
    Type.Object(enterprise, closed), Type.Object(workload, closed)
  ]), { minItems: 1, maxItems: 100 })),
  grantTypes: Type.Optional(Type.Never())
}
