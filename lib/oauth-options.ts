import type { Agent } from 'node:https'
import { Type, type TSchema } from '@sinclair/typebox'
import type { RegistrationOptions } from '../types/registration-options.js'
import type { SignIn } from '../types/sign-in.js'
import { grantMembers } from './grant-options.js'
import { componentMembers, senderMembers, tagMembers } from './guard-options.js'
import { callback, closed, list, name, object, off, scopeName, url, whole } from './option-parts.js'
import { pkceStoreMembers } from './store-options.js'

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

/** What the authorization server and the guard of a resource agree about. */
export const resourceMembers = {
  issuer: url,
  resource: url,
  scopes: scopeCatalogue,
  defaultScopes: Type.Optional(list(scopeName, { minItems: 1 })),
  ...componentMembers,
  ...tagMembers
}

export const clientDocuments = Type.Object({
  allow: Type.Optional(callback<(clientId: URL) => boolean | Promise<boolean>>()),
  agent: Type.Optional(object<Agent>()),
  loopback: Type.Optional(Type.Boolean())
}, closed)

const furtherResource = Type.Object({
  resource: url,
  resourceName: Type.Optional(name),
  scopes: Type.Optional(scopeCatalogue),
  defaultScopes: Type.Optional(list(scopeName, { minItems: 1 })),
  ...componentMembers,
  advertiseTags: tagMembers.advertiseTags,
  accessTokenLifetime: whole(60, 3600),
  accessTokenFormat: pkceStoreMembers.accessTokenFormat,
  ...senderMembers
}, closed)

export const clientKeys = Type.Object({
  agent: Type.Optional(object<Agent>()),
  loopback: Type.Optional(Type.Boolean())
}, closed)

export const registration = Type.Object({
  initialAccessTokens: Type.Optional(list(
    Type.String({ minLength: 32, maxLength: 512 }), { minItems: 1, maxItems: 10 }
  )),
  signedIn: Type.Optional(Type.Boolean()),
  softwareStatements: Type.Optional(Type.Object({
    issuers: list(Type.Object({ issuer: url, jwksUri: url }, closed), { minItems: 1, maxItems: 100 }),
    required: Type.Optional(Type.Boolean())
  }, closed)),
  allow: Type.Optional(callback<NonNullable<RegistrationOptions['allow']>>()),
  management: Type.Optional(Type.Boolean())
}, closed)

const detailType = Type.Object({ schema: object(), describe: callback() }, closed)

const detailTypes = Type.Unsafe<Readonly<Record<string, {
  readonly schema: TSchema, readonly describe: (detail: Readonly<Record<string, unknown>>) => string
}>>>(Type.Record(Type.String(), detailType, { maxProperties: 100 }))

/** What the authorization server does. */
export const oauthRoutesMembers = {
  ...resourceMembers,
  resourceName: Type.Optional(name),
  resources: Type.Optional(list(furtherResource, { maxItems: 100 })),
  authorizationDetails: Type.Optional(detailTypes),
  signIn: Type.Optional(callback<SignIn>()),
  pushedRequests: Type.Optional(Type.Union([
    Type.Literal('off'), Type.Literal('optional'), Type.Literal('required')
  ])),
  clientDocuments: Type.Optional(Type.Union([clientDocuments, off])),
  deviceAuthorization: Type.Optional(Type.Boolean()),
  clientKeys: Type.Optional(clientKeys),
  certificateOrigin: Type.Optional(url),
  registration: Type.Optional(Type.Union([Type.Boolean(), registration])),
  redirectSchemes: Type.Optional(list(Type.String({ pattern: '^[a-z][a-z0-9+.-]{0,63}$' }))),
  leniencies: Type.Optional(Type.Object({
    missingResource: Type.Optional(Type.Boolean()),
    localhostAnyPort: Type.Optional(Type.Boolean()),
    codeRepeat: Type.Optional(Type.Boolean()),
    assertionAudience: Type.Optional(Type.Boolean()),
    assertionReuse: Type.Optional(Type.Boolean()),
    refreshRepeat: Type.Optional(Type.Boolean()),
    eitherSecretMethod: Type.Optional(Type.Boolean()),
    loopbackWebClient: Type.Optional(Type.Boolean())
  }, closed)),
  strict: Type.Optional(Type.Boolean()),
  ...grantMembers,
  ...senderMembers
}
