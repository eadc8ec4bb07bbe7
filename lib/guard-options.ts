import { Type } from '@sinclair/typebox'
import type { SignatureAlgorithm } from '../types/foreign-tokens.js'
import type { AccessCheck } from '../types/guard.js'
import { callback, closed, DAY, list, name, scopeName, url, whole } from './option-parts.js'
import { PROTOCOL_VERSIONS } from './protocol/mcp-version.js'

const tagName = Type.String({ pattern: '^[A-Za-z0-9_-]{1,96}$' })

const assurance = Type.Object({
  maxAge: whole(0, 3650 * DAY),
  acr: Type.Optional(list(name, { minItems: 1 })),
  amr: Type.Optional(list(name, { minItems: 1 }))
}, closed)

const component = Type.Object({
  tool: Type.Optional(name),
  prompt: Type.Optional(name),
  resource: Type.Optional(url),
  resourceTemplate: Type.Optional(url),
  scopes: Type.Optional(list(scopeName)),
  anyScope: Type.Optional(list(scopeName, { minItems: 1 })),
  tags: Type.Optional(list(tagName)),
  server: Type.Optional(name),
  roles: Type.Optional(list(name, { minItems: 1 })),
  assurance: Type.Optional(assurance),
  senderConstrained: Type.Optional(Type.Boolean()),
  headers: Type.Optional(Type.Unsafe<Readonly<Record<string, string>>>(Type.Record(Type.String(), name))),
  destructive: Type.Optional(Type.Boolean()),
  title: Type.Optional(name)
}, closed)

/** What the server has, and which tags of it a request may name. */
export const componentMembers = {
  components: Type.Optional(list(component)),
  servers: Type.Optional(Type.Unsafe<Readonly<Record<string, { readonly tags: readonly string[] }>>>(Type.Record(
    Type.String(), Type.Object({ tags: list(tagName) }, closed), { maxProperties: 1000 })))
}

export const tagMembers = {
  tagLimits: Type.Optional(Type.Object({
    scopeLength: whole(5, 100),
    tagLength: whole(1, 96),
    tags: whole(0, 100),
    duplicates: Type.Optional(Type.Boolean())
  }, closed)),
  advertiseTags: Type.Optional(Type.Boolean())
}

export const guardMembers = {
  mcpPath: Type.Optional(Type.String({ pattern: '^/', maxLength: 1024 })),
  protocolVersions: Type.Optional(list(
    Type.Union(PROTOCOL_VERSIONS.map((version) => Type.Literal(version))), { minItems: 1 })),
  rememberedTokens: whole(0, 10_000_000),
  recheck: whole(0, 60)
}

const authentication = Type.Object({
  enabled: Type.Optional(Type.Boolean()),
  environment: Type.Optional(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]{0,99}$' })),
  anonymous: Type.Optional(Type.Object({
    scopes: list(scopeName),
    roles: Type.Optional(list(name)),
    subject: Type.Optional(name)
  }, closed)),
  beyondLoopback: Type.Optional(Type.Boolean())
}, closed)

export const guardModes = {
  authentication: Type.Optional(authentication),
  access: Type.Optional(callback<AccessCheck>()),
  reportOnly: Type.Optional(Type.Boolean()),
  hideDenied: Type.Optional(Type.Boolean())
}

// No symmetric one, and no `none` (RFC 9449 §11.6).
const algorithm = Type.Unsafe<SignatureAlgorithm>(Type.Union([
  'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'
].map((one) => Type.Literal(one))))

const dpop = Type.Object({
  algorithms: Type.Optional(list(algorithm, { minItems: 1, maxItems: 10 })),
  nonce: Type.Optional(Type.Boolean()),
  replay: Type.Optional(Type.Object({
    max: whole(100, 10_000_000),
    shared: Type.Optional(Type.Boolean())
  }, closed))
}, closed)

const clientCertificate = Type.Object({
  header: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9-]{1,100}$' })),
  proxies: Type.Optional(list(name, { minItems: 1 })),
  proxiesVerify: Type.Optional(Type.Boolean())
}, closed)

const senderConstraint = Type.Union([
  Type.Boolean(),
  Type.Object({
    scopes: Type.Optional(list(scopeName, { minItems: 1 })),
    tags: Type.Optional(list(name, { minItems: 1 }))
  }, closed)
])

/** How clients can prove that a token is theirs. The metadata says it as well. */
export const senderMembers = {
  dpop: Type.Optional(dpop),
  clientCertificate: Type.Optional(clientCertificate),
  requireSenderConstraint: Type.Optional(senderConstraint)
}

/** How what a server gives to a client is kept from everybody else. */
export const bindingMembers = {
  tasks: Type.Optional(Type.Union([Type.Boolean(), Type.Object({ list: Type.Boolean() }, closed)])),
  stateLifetime: whole(10, DAY),
  streamRecheck: whole(1, 60)
}
