import { openKeyring } from '../../lib/crypto/keyring.js'
import { randomId, sha256 } from '../../lib/crypto/digest.js'
import { deriveSecrets } from '../../lib/crypto/secrets.js'
import { createClients, type Registered } from '../../lib/oauth/clients.js'
import { clientCredentialsGrant } from '../../lib/oauth/client-credentials-grant.js'
import type { ClientRequest } from '../../lib/oauth/client-request.js'
import { assertionRules } from '../../lib/oauth/client-assertion.js'
import { createClientKeys } from '../../lib/oauth/client-keys.js'
import { codeGrant } from '../../lib/oauth/code-grant.js'
import type { DirectRules } from '../../lib/oauth/direct-grant.js'
import type { GrantTypes } from '../../lib/oauth/grant-type.js'
import { createGrants } from '../../lib/oauth/grants.js'
import type { RequestedGrant } from '../../lib/oauth/consent.js'
import { refreshGrant } from '../../lib/oauth/refresh-grant.js'
import { createSenderReader } from '../../lib/oauth/sender-binding.js'
import { answerTokenRequest } from '../../lib/oauth/token-endpoint.js'
import type { TokenContext } from '../../lib/oauth/token-context.js'
import { readForm, type Form } from '../../lib/protocol/form.js'
import { resolveLeniencies } from '../../lib/protocol/leniencies.js'
import { buildScopeModel } from '../../lib/protocol/scopes.js'
import { TAG_LIMITS } from '../../lib/protocol/tags.js'
import type { PublicFetchOptions } from '../../lib/tokens/public-fetch.js'
import { memoryStore } from '../../lib/stores/memory.js'
import type { DpopSettings } from '../../lib/tokens/dpop-settings.js'
import type { AccessTokenFormat, ClientMetadata, Lifetimes, StaticClient } from '../../types/oauth.js'
import type { Leniencies } from '../../types/options.js'
import type { RecordStore } from '../../types/stores.js'

export const START = 1_700_000_000
export const ISSUER = 'https://as.example'
export const TOKEN_URL = `${ISSUER}/token`
export const RESOURCE = 'https://mcp.example/mcp'
export const REDIRECT = 'http://127.0.0.1:4711/callback'

export const LIFETIMES: Lifetimes = {
  accessToken: 900,
  code: 60,
  authorization: 600,
  refreshIdle: 14 * 86_400,
  refreshAbsolute: 90 * 86_400,
  refreshRepeat: 30,
  consent: 30 * 86_400,
  unusedClient: 86_400,
  idleClient: 180 * 86_400
}

export const SECRETS = deriveSecrets(['a secret for tests of thirty-two characters or more'])
const KEYRING = await openKeyring({ records: memoryStore(), tenant: 'default', secrets: SECRETS, clock: () => START })

export const MODEL = buildScopeModel({
  'notes:read': 'Read notes', 'notes:write': { title: 'Change notes', implies: ['notes:read'] }, 'notes:admin': 'All'
})

/** What the grant types without a browser may give. */
export const DIRECT: DirectRules = {
  resources: [{ resource: RESOURCE, model: MODEL, defaultScopes: ['notes:read'] }],
  tagLimits: TAG_LIMITS,
  missingResource: true
}

export interface ContextInput {
  readonly records?: RecordStore
  readonly lifetimes?: Partial<Lifetimes>
  readonly leniencies?: Partial<Leniencies>
  readonly statics?: readonly StaticClient[]
  readonly maxClients?: number
  readonly maxClientsPerNetwork?: number
  readonly accessTokenFormat?: AccessTokenFormat
  readonly direct?: DirectRules
  /** Beside those that are always there. */
  readonly further?: GrantTypes
  readonly dpop?: DpopSettings
  /** Each offers the scopes that begin with its URL, and all that begin with none. */
  readonly furtherResources?: readonly string[]
  /** How keys of clients are fetched. */
  readonly fetch?: PublicFetchOptions
}

/** A token endpoint's context over a memory store, or over `records`. */
export function buildContext (input: ContextInput = {}): TokenContext & { readonly records: RecordStore } {
  const { records = memoryStore(), statics = [], maxClients = 1000, maxClientsPerNetwork = maxClients } = input
  const lifetimes = { ...LIFETIMES, ...input.lifetimes }
  const tenant = 'default'
  const leniencies = resolveLeniencies(input.leniencies)
  const keys = createClientKeys(input.fetch ?? {})
  return {
    records,
    tenant,
    secrets: SECRETS,
    keyring: KEYRING,
    issuer: ISSUER,
    resources: new Map([RESOURCE, ...input.furtherResources ?? []].map((resource) => [resource, {
      resource,
      accessTokenLifetime: lifetimes.accessToken,
      accessTokenFormat: input.accessTokenFormat ?? 'jwt',
      offers: (scope) => !scope.startsWith('https:') || scope.startsWith(resource)
    }])),
    lifetimes,
    leniencies,
    assertions: assertionRules({ issuer: ISSUER, endpoints: [`${ISSUER}/token`], leniencies, keys, records, tenant }),
    grantTypes: new Map([
      ['authorization_code', codeGrant],
      ['refresh_token', refreshGrant],
      ['client_credentials', clientCredentialsGrant(input.direct ?? DIRECT)],
      ...input.further ?? []
    ]),
    readSender: createSenderReader({ url: TOKEN_URL, dpop: input.dpop ?? null }),
    clients: createClients({
      records, tenant, secrets: SECRETS, statics, lifetimes, maxClients, maxClientsPerNetwork
    }),
    grants: createGrants({ records, tenant, secrets: SECRETS, lifetimes })
  }
}

export const PUBLIC_CLIENT: ClientMetadata = {
  redirect_uris: [REDIRECT],
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code']
}

export async function addClient (
  { clients }: TokenContext, metadata: Partial<ClientMetadata> = {}, now = START
): Promise<Registered> {
  const merged = { ...PUBLIC_CLIENT, ...metadata }
  return await clients.register({ metadata: merged, authenticationMethods: [merged.token_endpoint_auth_method] }, now)
}

export const VERIFIER = randomId(32)

/** What the user is asked for, after every check of the authorization request. */
export function grantRequest (clientId: string, overrides: Partial<RequestedGrant> = {}) {
  return {
    clientId,
    subject: 'alice',
    redirectUri: REDIRECT,
    resource: RESOURCE,
    scopes: ['notes:read', 'notes:write'],
    state: 'a state',
    codeChallenge: sha256(VERIFIER),
    authenticatedAt: START - 100,
    acr: null,
    amr: [],
    ...overrides
  }
}

/** Asks and consents; answers the code. */
export async function authorize (
  { grants }: TokenContext, clientId: string, overrides: Partial<RequestedGrant> = {}, now = START
): Promise<{ code: string, grantId: string }> {
  const { grant, handle } = await grants.request(grantRequest(clientId, overrides), now)
  const { subject, scopes, grantId, consented: opened = [] } = grant
  const approved = await grants.approve({ handle, subject, scopes, opened }, now)
  if (approved === null) throw new Error('the grant was not approved')
  return { code: approved.code, grantId }
}

export function formOf (members: Readonly<Record<string, string>>): Form {
  return readForm(new URLSearchParams(members).toString())
}

export interface TokenBody {
  readonly access_token: string
  readonly token_type: string
  readonly expires_in: number
  readonly scope: string
  readonly refresh_token?: string
}

/** What a request brings besides its form. */
export type Sent = Partial<ClientRequest>

export const requestOf = (members: Readonly<Record<string, string>>, sent: Sent = {}): ClientRequest =>
  ({ form: formOf(members), authorization: undefined, proofs: [], certificate: null, ...sent })

export async function postToken (
  context: TokenContext, members: Readonly<Record<string, string>>, now = START, sent: Sent = {}
) {
  const answer = await answerTokenRequest(requestOf(members, sent), context, now)
  const tokens: TokenBody = JSON.parse(answer.body)
  return { ...answer, tokens }
}

export function exchange (
  context: TokenContext, members: { client_id: string, code: string } & Record<string, string>, now = START,
  sent: Sent = {}
) {
  return postToken(context, { grant_type: 'authorization_code', code_verifier: VERIFIER, ...members }, now, sent)
}

export function refresh (
  context: TokenContext, members: { client_id: string, refresh_token: string } & Record<string, string>, now = START,
  sent: Sent = {}
) {
  return postToken(context, { grant_type: 'refresh_token', ...members }, now, sent)
}

/** A signed-in client with its first tokens. */
export async function openFamily (context: TokenContext, overrides: Partial<RequestedGrant> = {}, now = START) {
  const { client } = await addClient(context, {}, now)
  const { clientId } = client
  const { code, grantId } = await authorize(context, clientId, overrides, now)
  await context.clients.keepAlive(client, now)
  const { tokens } = await exchange(context, { client_id: clientId, code }, now)
  return { client, clientId, grantId, code, refreshToken: tokens.refresh_token ?? '', accessToken: tokens.access_token }
}
