import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { Type } from '@sinclair/typebox'
import { cors } from '../../lib/plugins/cors.js'
import { oauthRoutes } from '../../lib/plugins/oauth-routes/index.js'
import { pkceStore } from '../../lib/plugins/pkce-store.js'
import { rateLimits } from '../../lib/plugins/rate-limits.js'
import { DEVICE_GRANT } from '../../lib/protocol/grant-types.js'
import type { Signer } from '../../types/crypto.js'
import type { StaticClient } from '../../types/oauth.js'
import type { OAuthRoutesOptions, RateLimitsOptions } from '../../types/options.js'
import { buildApp, type Teardown } from './build-app.js'
import { stoppedClock, type StoppedClock } from './clock.js'
import { GRANT_CLIENTS, GRANT_OPTIONS } from './contract-grants.js'
import { OPTIONS, SECRET, STATICS, watchedStore, type Fields, type WatchedStore } from './oauth-app.js'

export const JOB = 'a-secret-of-the-job-that-is-long-enough-for-us'

const CLIENTS: readonly StaticClient[] = [
  ...STATICS,
  { clientId: 'tv', redirectUris: [], grantTypes: [DEVICE_GRANT, 'refresh_token'] },
  { clientId: 'job', redirectUris: [], grantTypes: ['client_credentials'], secret: JOB, scope: 'notes:read' },
  ...GRANT_CLIENTS
]

/** Everything that can be switched on. */
export const EVERYTHING: OAuthRoutesOptions = {
  ...OPTIONS,
  ...GRANT_OPTIONS,
  deviceAuthorization: true,
  registration: { management: true },
  dpop: { nonce: true },
  authorizationDetails: {
    payment: { schema: Type.Object({}, { additionalProperties: false }), describe: () => 'Pay' }
  }
}

export interface ContractServer {
  readonly app: FastifyInstance
  readonly origin: string
  readonly clock: StoppedClock
  readonly watched: WatchedStore
  /** The path of every route that a client or a browser can reach. */
  readonly paths: ReadonlySet<string>
}

/** An authorization server on a real socket. */
export async function contractServer (t: Teardown, { routes: changes = {}, limits, signers = [] }: {
  readonly routes?: Partial<OAuthRoutesOptions>
  readonly limits?: RateLimitsOptions
  readonly signers?: readonly Signer[]
} = {}): Promise<ContractServer> {
  const app = buildApp(t)
  const clock = stoppedClock()
  const watched = watchedStore()
  const paths = new Set<string>()
  app.addHook('onRoute', ({ url, config }) => { if (config?.mcpSecurity?.public === true) paths.add(url) })
  if (limits !== undefined) {
    await app.register(cors, { origins: ['https://app.example'] })
    await app.register(rateLimits, limits)
  }
  const keys = signers.length === 0 ? {} : { signers }
  await app.register(pkceStore, {
    store: watched.store, secrets: [SECRET], clients: CLIENTS, clock, pruneInterval: 0, ...keys
  })
  await app.register(oauthRoutes, { ...EVERYTHING, ...changes })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  return { app, origin: `http://127.0.0.1:${port}`, clock, watched, paths }
}

const FORM = 'application/x-www-form-urlencoded'
export const basic = (id: string, secret: string): string => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`

export interface Sent {
  readonly method?: string
  readonly fields?: Fields
  readonly json?: unknown
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Posts a form, unless told otherwise. Other methods have a body only where one is given. */
export async function send ({ origin }: ContractServer, path: string, sent: Sent = {}): Promise<Response> {
  const { method = 'POST', fields = {}, json, body, headers = {} } = sent
  const given: Array<[string, string]> = []
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) given.push([name, value])
  const type = json === undefined ? FORM : 'application/json'
  const text = body ?? (json === undefined ? new URLSearchParams(given).toString() : JSON.stringify(json))
  const isBare = method !== 'POST' && json === undefined && body === undefined
  return await fetch(origin + path, {
    method,
    redirect: 'manual',
    headers: isBare ? headers : { 'content-type': type, ...headers },
    ...(isBare ? {} : { body: text })
  })
}
