import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import { memoryStore } from '../../lib/stores/memory.js'
import { sha256 } from '../../lib/crypto/digest.js'
import { auditHook } from '../../lib/plugins/audit-hook.js'
import { oauthRoutes } from '../../lib/plugins/oauth-routes/index.js'
import { pkceStore } from '../../lib/plugins/pkce-store.js'
import type { AuditEvent } from '../../types/audit.js'
import type { OAuthRoutesOptions, PkceStoreOptions } from '../../types/options.js'
import type { RecordStore } from '../../types/stores.js'
import type { Teardown } from './build-app.js'
import { stoppedClock, type StoppedClock } from './clock.js'
import { versions } from './fastify-versions.js'
import { fieldsOf } from './markup.js'

export const ISSUER = 'https://as.example'
export const RESOURCE = 'https://as.example/mcp'
export const LOOPBACK = 'http://127.0.0.1:4711/callback'
export const VERIFIER = 'a-verifier-of-forty-three-characters-or-more-'
export const SECRET = 'a-secret-of-thirty-two-characters-or-more'

export const OPTIONS: OAuthRoutesOptions = {
  issuer: ISSUER,
  resource: RESOURCE,
  resourceName: 'Notes',
  scopes: {
    'notes:read': 'Read your notes',
    'notes:write': { title: 'Change your notes', description: 'Adds and deletes.', implies: ['notes:read'] }
  },
  components: [
    { tool: 'whoami', scopes: [] },
    { tool: 'list_notes', scopes: ['notes:read'], title: 'List notes' },
    { tool: 'delete_note', scopes: ['notes:write'], destructive: true }
  ],
  // Nothing is fetched from anywhere unless a test brings a server of its own.
  clientDocuments: { allow: () => false },
  signIn: (request) => {
    const subject = request.headers['x-user']
    return typeof subject === 'string' ? { subject } : null
  }
}

export const STATICS: NonNullable<PkceStoreOptions['clients']> = [
  { clientId: 'house', name: 'House client', redirectUris: ['https://house.example/cb?from=as'] },
  { clientId: 'vault', redirectUris: ['https://vault.example/cb'], secret: SECRET },
  { clientId: 'reader', redirectUris: ['https://reader.example/cb'], scope: 'notes:read' },
  { clientId: 'server', secret: SECRET, introspects: [RESOURCE] },
  { clientId: 'elsewhere', secret: SECRET, introspects: ['https://elsewhere.example/mcp'] }
]

export interface OAuthApp {
  readonly app: FastifyInstance
  readonly clock: StoppedClock
  readonly events: AuditEvent[]
  readonly records: RecordStore
}

export interface WatchedStore {
  readonly store: RecordStore
  /** The kinds of the records that were added. */
  readonly added: string[]
  /** Makes every verb fail, or work again. */
  fail (error: Error | null): void
}

/** A memory store that tells what was put into it and can be made to fail. */
export function watchedStore (): WatchedStore {
  const store = memoryStore()
  const added: string[] = []
  let failure: Error | null = null
  const watched = new Proxy(store, {
    get (target, name) {
      if (failure !== null && name !== 'close') return async () => { throw failure }
      if (name !== 'add') return Reflect.get(target, name)
      return async (...[record, now]: Parameters<RecordStore['add']>) => {
        added.push(record.kind)
        return await target.add(record, now)
      }
    }
  })
  return { store: watched, added, fail (error) { failure = error } }
}

/** An authorization server over memory with a stopped clock, whose user is who the header `x-user` says. */
export async function oauthApp (t: Teardown, input: {
  readonly routes?: Partial<OAuthRoutesOptions>
  readonly store?: RecordStore
  readonly version?: string
  readonly server?: FastifyServerOptions
  readonly prepare?: (app: FastifyInstance) => void
  readonly lifetimes?: PkceStoreOptions['lifetimes']
  readonly clients?: PkceStoreOptions['clients']
} = {}): Promise<OAuthApp> {
  const { routes = {}, store: records = memoryStore(), version = 'newest', server = {}, prepare, lifetimes } = input
  const { clients = STATICS } = input
  const app = versions[version]?.(t, server)
  if (app === undefined) throw new Error(`there is no Fastify ${version}`)
  const clock = stoppedClock()
  const events: AuditEvent[] = []
  prepare?.(app)
  await app.register(auditHook, { log: false, clock, sink: (event) => { events.push(event) } })
  await app.register(pkceStore, {
    store: records,
    secrets: [SECRET],
    clients,
    clock,
    pruneInterval: 0,
    ...(lifetimes === undefined ? {} : { lifetimes })
  })
  await app.register(oauthRoutes, { ...OPTIONS, ...routes })
  await app.ready()
  return { app, clock, events, records }
}

export async function register (
  app: FastifyInstance, metadata: Readonly<Record<string, unknown>> = {}
): Promise<string> {
  const response = await app.inject({
    method: 'POST',
    url: '/register',
    payload: {
      client_name: 'Some client', redirect_uris: [LOOPBACK], token_endpoint_auth_method: 'none', ...metadata
    }
  })
  return response.json<{ client_id: string }>().client_id
}

export type Fields = Readonly<Record<string, string | undefined>>

const encode = (parameters: Fields): string => {
  const given = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) given.append(name, value)
  }
  return given.toString()
}

/** A right authorization request, changed by `parameters`; `undefined` leaves one out. */
export const authorizationUrl = (parameters: Fields): string => `/authorize?${encode({
  response_type: 'code',
  client_id: 'house',
  code_challenge: sha256(VERIFIER),
  code_challenge_method: 'S256',
  state: 'a state',
  resource: RESOURCE,
  ...parameters
})}`

export type Answer = Awaited<ReturnType<FastifyInstance['inject']>>

export const COOKIE = '__Host-mcp-browser=0123456789abcdefghijkl'

export async function authorize (app: FastifyInstance, parameters: Fields = {}, user = 'alice'): Promise<Answer> {
  return await app.inject({ url: authorizationUrl(parameters), headers: { cookie: COOKIE, 'x-user': user } })
}

/** The fields that the browser would send if the user changed nothing. */
export const ticked = (page: Answer): Array<[string, string]> => fieldsOf(page.body)

export async function decide (app: FastifyInstance, fields: Array<[string, string]>,
  headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return await app.inject({
    method: 'POST',
    url: '/authorize/consent',
    headers: { cookie: COOKIE, 'x-user': 'alice', 'content-type': 'application/x-www-form-urlencoded', ...headers },
    payload: new URLSearchParams(fields).toString()
  })
}

/** Posts a form to an endpoint for clients. */
export async function post (app: FastifyInstance, url: string, fields: Fields,
  headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return await app.inject({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    payload: encode(fields)
  })
}

/** The parameters of a redirect to the client. */
export const redirected = (answer: Answer): Record<string, string> =>
  Object.fromEntries(new URL(String(answer.headers.location)).searchParams)

/** Allows everything, if that is asked at all; answers the code. */
export async function codeFor (app: FastifyInstance, parameters: Fields = {}): Promise<string> {
  const page = await authorize(app, parameters)
  const answer = page.statusCode === 303 ? page : await decide(app, [...ticked(page), ['decision', 'allow']])
  return redirected(answer).code ?? ''
}
