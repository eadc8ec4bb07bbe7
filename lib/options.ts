import { Type } from '@sinclair/typebox'
import type { AuditSink } from '../types/audit.js'
import type { TokenVerifier } from '../types/principal.js'
import { configurableGrants } from './grant-options.js'
import { bindingMembers, componentMembers, guardMembers, guardModes, senderMembers } from './guard-options.js'
import { clientDocuments, clientKeys, oauthRoutesMembers, registration, resourceMembers } from './oauth-options.js'
import { callback, clock, closed, DAY, list, name, object, off, url, whole } from './option-parts.js'
import { pkceStoreMembers } from './store-options.js'

export { assertOptions } from './check-options.js'

const rateLimit = Type.Object({
  max: Type.Integer({ minimum: 1, maximum: 1_000_000_000 }),
  window: Type.Integer({ minimum: 1, maximum: 31 * DAY })
}, closed)

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
  ownVerifier: Type.Object({
    issuer: url, resource: url, rememberedTokens: guardMembers.rememberedTokens, recheck: guardMembers.recheck
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
  registration: Type.Optional(Type.Union([Type.Boolean(), Type.Omit(registration, ['allow'], closed)])),
  clientDocuments: Type.Optional(Type.Union([Type.Omit(clientDocuments, ['allow', 'agent'], closed), off])),
  clientKeys: Type.Optional(Type.Omit(clientKeys, ['agent'], closed)),
  ...configurableGrants,
  store: Type.Optional(Type.Never()),
  signers: Type.Optional(Type.Never()),
  clock: Type.Optional(Type.Never()),
  authorizationDetails: Type.Optional(Type.Never()),
  signIn: Type.Optional(Type.Never()),
  access: Type.Optional(Type.Never())
}, closed))
