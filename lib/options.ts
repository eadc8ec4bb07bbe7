import type { Agent } from 'node:https'
import { Kind, Type, type Static, type TSchema } from '@sinclair/typebox'
import { Value, type ValueError } from '@sinclair/typebox/value'
import type { AuditSink } from '../types/audit.js'
import type { TokenVerifier } from '../types/principal.js'
import type { SignIn } from '../types/sign-in.js'
import type { RecordStore } from '../types/stores.js'
import { InvalidOptionError } from './errors.js'
import {
  bindingMembers, componentMembers, guardMembers, guardModes, senderMembers, tagMembers
} from './guard-options.js'
import { callback, clock, closed, DAY, list, name, object, scopeName, url, whole } from './option-parts.js'

const rateLimit = Type.Object({
  max: Type.Integer({ minimum: 1, maximum: 1_000_000_000 }),
  window: Type.Integer({ minimum: 1, maximum: 31 * DAY })
}, closed)

const scopeCatalogue = Type.Unsafe<Readonly<Record<string, string | {
  title: string, description?: string, implies?: readonly string[]
}>>>(Type.Record(Type.String(), Type.Union([
  name,
  Type.Object({
    title: name,
    description: Type.Optional(Type.String({ maxLength: 1000 })),
    implies: Type.Optional(list(scopeName))
  }, closed)
]), { minProperties: 1, maxProperties: 1000 }))

const staticClient = Type.Object({
  clientId: name,
  name: Type.Optional(name),
  redirectUris: list(url, { minItems: 1 }),
  secret: Type.Optional(Type.String({ minLength: 32, maxLength: 512 })),
  tokenEndpointAuthMethod: Type.Optional(Type.Union([
    Type.Literal('none'), Type.Literal('client_secret_basic'), Type.Literal('client_secret_post')
  ])),
  grantTypes: Type.Optional(list(Type.Union([Type.Literal('authorization_code'), Type.Literal('refresh_token')]),
    { minItems: 1 })),
  scope: Type.Optional(Type.String({ maxLength: 10_000 }))
}, closed)

const lifetimes = Type.Object({
  accessToken: whole(120, 3600),
  code: whole(10, 600),
  authorization: whole(60, 3600),
  refreshIdle: whole(300, 3650 * DAY),
  refreshAbsolute: whole(300, 3650 * DAY),
  refreshRepeat: whole(0, 120),
  unusedClient: whole(300, 3650 * DAY),
  idleClient: whole(300, 3650 * DAY)
}, closed)

const pkceStoreMembers = {
  store: Type.Optional(object<RecordStore>()),
  secrets: Type.Optional(list(Type.String({ minLength: 32, maxLength: 1024 }), { minItems: 1, maxItems: 10 })),
  tenant: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' })),
  signingAlgorithm: Type.Optional(Type.Union([Type.Literal('ES256'), Type.Literal('RS256'), Type.Literal('EdDSA')])),
  accessTokenFormat: Type.Optional(Type.Union([Type.Literal('jwt'), Type.Literal('opaque')])),
  lifetimes: Type.Optional(lifetimes),
  clients: Type.Optional(list(staticClient)),
  maxClients: whole(2, 10_000_000),
  pruneInterval: whole(0, DAY),
  ...clock
}

const resourceMembers = {
  issuer: url,
  resource: url,
  scopes: scopeCatalogue,
  defaultScopes: Type.Optional(list(scopeName, { minItems: 1 })),
  ...componentMembers,
  ...tagMembers
}

const off = Type.Literal(false)

const clientDocuments = Type.Object({
  allow: Type.Optional(callback<(clientId: URL) => boolean | Promise<boolean>>()),
  agent: Type.Optional(object<Agent>()),
  loopback: Type.Optional(Type.Boolean())
}, closed)

const oauthRoutesMembers = {
  ...resourceMembers,
  resourceName: Type.Optional(name),
  signIn: Type.Optional(callback<SignIn>()),
  pushedRequests: Type.Optional(Type.Union([
    Type.Literal('off'), Type.Literal('optional'), Type.Literal('required')
  ])),
  clientDocuments: Type.Optional(Type.Union([clientDocuments, off])),
  registration: Type.Optional(Type.Boolean()),
  redirectSchemes: Type.Optional(list(Type.String({ pattern: '^[a-z][a-z0-9+.-]{0,63}$' }))),
  leniencies: Type.Optional(Type.Object({
    missingResource: Type.Optional(Type.Boolean()),
    localhostAnyPort: Type.Optional(Type.Boolean()),
    codeRepeat: Type.Optional(Type.Boolean())
  }, closed)),
  strict: Type.Optional(Type.Boolean()),
  ...senderMembers
}

const auditMembers = {
  sink: Type.Optional(callback<AuditSink>()),
  log: Type.Optional(Type.Boolean())
}
const audit = Type.Object(auditMembers, closed)

const securityHeaders = Type.Object({ hstsMaxAge: whole(0, 10 * 365 * DAY) }, closed)

const originGuard = Type.Object({
  origins: Type.Optional(list(url)),
  hosts: Type.Optional(list(url))
}, closed)

const rateLimitsMembers = {
  general: Type.Optional(rateLimit),
  sensitive: Type.Optional(rateLimit),
  registration: Type.Optional(rateLimit)
}
const rateLimits = Type.Object(rateLimitsMembers, closed)

const accountsMembers = {
  attempts: Type.Optional(rateLimit),
  sessionIdle: whole(60, 365 * DAY),
  sessionAbsolute: whole(60, 365 * DAY)
}
const accounts = Type.Object(accountsMembers, closed)

const umbrellaMembers = {
  ...pkceStoreMembers,
  ...oauthRoutesMembers,
  ...guardMembers,
  ...guardModes,
  ...bindingMembers,
  audit: Type.Optional(Type.Union([audit, off])),
  securityHeaders: Type.Optional(Type.Union([securityHeaders, off])),
  originGuard: Type.Optional(Type.Union([originGuard, off])),
  rateLimits: Type.Optional(Type.Union([rateLimits, off])),
  accounts: Type.Optional(Type.Union([accounts, off]))
}

/** The options of each part and of the umbrella. `types/options.ts` documents them; a type test holds both equal. */
export const schemas = {
  pkceStore: Type.Object(pkceStoreMembers, closed),
  oauthRoutes: Type.Object(oauthRoutesMembers, closed),
  components: Type.Object(componentMembers, closed),
  scopeGuard: Type.Object({
    ...resourceMembers,
    ...guardMembers,
    ...guardModes,
    ...senderMembers,
    ...bindingMembers,
    secrets: pkceStoreMembers.secrets,
    issuer: Type.Optional(url),
    verifier: Type.Optional(object<TokenVerifier>()),
    ...clock
  }, closed),
  auditHook: Type.Object({ ...auditMembers, tenant: pkceStoreMembers.tenant, ...clock }, closed),
  securityHeaders,
  originGuard,
  cors: Type.Object({ origins: Type.Optional(list(url)) }, closed),
  rateLimits: Type.Object({ ...rateLimitsMembers, ...clock }, closed),
  accounts,
  signIn: Type.Object({ ...accountsMembers, issuer: url, resourceName: Type.Optional(name) }, closed),
  mcpSecurity: Type.Object(umbrellaMembers, closed)
}

/** What a configuration file may say: the umbrella's options without those that are code. */
export const configurationSchema = Type.Partial(Type.Object({
  ...umbrellaMembers,
  audit: Type.Optional(Type.Union([Type.Omit(audit, ['sink'], closed), off])),
  clientDocuments: Type.Optional(Type.Union([Type.Omit(clientDocuments, ['allow', 'agent'], closed), off])),
  store: Type.Optional(Type.Never()),
  clock: Type.Optional(Type.Never()),
  signIn: Type.Optional(Type.Never()),
  access: Type.Optional(Type.Never())
}, closed))

/** Of a union's errors the one that got farthest says most. */
function deepest (error: ValueError): ValueError {
  const inner = error.errors.flatMap((errors) => [...errors]).map(deepest)
  return inner.reduce((best, next) => next.path.length > best.path.length ? next : best, error)
}

function sentence (error: ValueError, at: string): string {
  const path = [...(at === '' ? [] : [at]), ...error.path.split('/').slice(1).map(unescapePointer)].join('.')
  const subject = path === '' ? 'options' : path
  if (error.message === 'Unexpected property') return `${subject} is not an option`
  if (error.message === 'Expected required property') return `${subject} is required`
  if (error.schema[Kind] === 'Never') return `${subject} cannot be given here`
  return `${subject} must be ${error.message.replace(/^Expected (kind )?/, '').replace(' to be ', ' ')}`
}

const unescapePointer = (part: string): string => part.replaceAll('~1', '/').replaceAll('~0', '~')

/**
 * Holds options against their schema. Members that are `undefined` count as left out.
 * @throws {InvalidOptionError} `MCPS_ERR_INVALID_OPTION`; the message starts with the path of the first wrong member.
 */
export function assertOptions<T extends TSchema> (schema: T, options: unknown, at = ''): asserts options is Static<T> {
  const error = Value.Errors(schema, withoutUndefined(options)).First()
  if (error !== undefined) throw new InvalidOptionError(sentence(deepest(error), at))
}

function withoutUndefined (options: unknown): unknown {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return options
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
