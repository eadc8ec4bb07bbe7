import { Type } from '@sinclair/typebox'
import type { Signer } from '../types/crypto.js'
import type { RecordStore } from '../types/stores.js'
import { clock, closed, DAY, list, name, object, off, url, whole } from './option-parts.js'

const key = Type.Unsafe<Readonly<Record<string, unknown>>>(Type.Record(Type.String(), Type.Unknown()))
const keySet = Type.Object({ keys: list(key, { minItems: 1, maxItems: 10 }) })

const staticClient = Type.Object({
  clientId: name,
  name: Type.Optional(name),
  redirectUris: Type.Optional(list(url)),
  secret: Type.Optional(Type.String({ minLength: 32, maxLength: 512 })),
  secrets: Type.Optional(list(Type.String({ minLength: 32, maxLength: 512 }), { minItems: 1, maxItems: 2 })),
  jwks: Type.Optional(keySet),
  jwksUri: Type.Optional(url),
  tlsClientAuth: Type.Optional(Type.Object({
    subjectDn: Type.Optional(name),
    sanDns: Type.Optional(name),
    sanUri: Type.Optional(url),
    sanIp: Type.Optional(name),
    sanEmail: Type.Optional(name)
  }, closed)),
  tokenEndpointAuthMethod: Type.Optional(Type.Union([
    Type.Literal('none'), Type.Literal('client_secret_basic'), Type.Literal('client_secret_post'),
    Type.Literal('private_key_jwt'), Type.Literal('tls_client_auth'), Type.Literal('self_signed_tls_client_auth')
  ])),
  grantTypes: Type.Optional(list(name, { minItems: 1 })),
  scope: Type.Optional(Type.String({ maxLength: 10_000 })),
  introspects: Type.Optional(list(url, { minItems: 1 })),
  dpopBoundAccessTokens: Type.Optional(Type.Boolean()),
  certificateBoundAccessTokens: Type.Optional(Type.Boolean())
}, closed)

/** What the operator says of a client at run time. */
export const operatorsClient = Type.Omit(staticClient, ['clientId', 'secret', 'secrets'], closed)

const lifetimes = Type.Object({
  accessToken: whole(120, 3600),
  code: whole(10, 600),
  authorization: whole(60, 3600),
  refreshIdle: whole(300, 3650 * DAY),
  refreshAbsolute: whole(300, 3650 * DAY),
  refreshRepeat: whole(0, 120),
  consent: whole(0, 3650 * DAY),
  unusedClient: whole(300, 3650 * DAY),
  idleClient: whole(300, 3650 * DAY)
}, closed)

/** Where records live, what protects them, and whose they are. */
export const pkceStoreMembers = {
  store: Type.Optional(object<RecordStore>()),
  secrets: Type.Optional(list(Type.String({ minLength: 32, maxLength: 1024 }), { minItems: 1, maxItems: 10 })),
  tenant: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' })),
  signingAlgorithm: Type.Optional(Type.Union([Type.Literal('ES256'), Type.Literal('RS256'), Type.Literal('EdDSA')])),
  keyRotation: Type.Optional(Type.Union([
    Type.Object({ every: whole(3600, 3650 * DAY), publishedBefore: whole(60, 365 * DAY) }, closed), off
  ])),
  signers: Type.Optional(list(object<Signer>(), { minItems: 1, maxItems: 10 })),
  accessTokenFormat: Type.Optional(Type.Union([Type.Literal('jwt'), Type.Literal('opaque')])),
  lifetimes: Type.Optional(lifetimes),
  clients: Type.Optional(list(staticClient)),
  maxClients: whole(2, 10_000_000),
  maxClientsPerNetwork: whole(1, 10_000_000),
  pruneInterval: whole(0, DAY),
  ...clock
}
