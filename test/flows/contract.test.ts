import { readFileSync } from 'node:fs'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import t, { type Test } from 'tap'
import { randomId, sha256 } from '../../lib/crypto/digest.js'
import { createSigningKey } from '../../lib/crypto/signing-key.js'
import { ACCESS_TOKEN } from '../../lib/oauth/exchange-request.js'
import { DEVICE_GRANT, JWT_BEARER, TOKEN_EXCHANGE } from '../../lib/protocol/grant-types.js'
import { StoreUnavailableError } from '../../lib/stores/errors.js'
import type { RegistrationOptions } from '../../types/registration-options.js'
import { basic, contractServer, JOB, send, type ContractServer, type Sent } from '../helpers/contract.js'
import { BADGE, DESK_SECRET, idJag, SERVICE, workload } from '../helpers/contract-grants.js'
import { dpopClient } from '../helpers/dpop.js'
import { fieldsOf } from '../helpers/markup.js'
import {
  authorizationUrl, codeFor, COOKIE, decide, ISSUER, LOOPBACK, post, RESOURCE, SECRET, ticked, VERIFIER, type Fields
} from '../helpers/oauth-app.js'

const HOUSE_URI = 'https://house.example/cb?from=as'

function hasNull (value: unknown): boolean {
  if (value === null) return true
  return typeof value === 'object' && Object.values(value).some(hasNull)
}

/** `what`, the status, the code (none: it is a success), and how it is brought about. */
type Case = readonly [string, number, string | null, (server: ContractServer) => Promise<Response>]

const pushed = (fields: Fields = {}): Fields => ({
  client_id: 'house',
  response_type: 'code',
  redirect_uri: HOUSE_URI,
  code_challenge: sha256(VERIFIER),
  code_challenge_method: 'S256',
  resource: RESOURCE,
  ...fields
})

const exchange = async (server: ContractServer, fields: Fields = {}, headers = {}): Promise<Response> => {
  const code = await codeFor(server.app, { scope: 'notes:read' })
  return await send(server, '/token', {
    fields: { grant_type: 'authorization_code', client_id: 'house', code, code_verifier: VERIFIER, ...fields }, headers
  })
}

interface Tokens { readonly access_token: string, readonly refresh_token: string }
const tokensOf = async (server: ContractServer) => await (await exchange(server)).json() as Tokens

interface Codes { readonly device_code: string, readonly user_code: string }
const codesOf = async ({ app }: ContractServer): Promise<Codes> =>
  (await post(app, '/device_authorization', { client_id: 'tv', scope: 'notes:read', resource: RESOURCE })).json()

async function decideDevice ({ app }: ContractServer, userCode: string, decision: 'allow' | 'deny'): Promise<void> {
  const browser = { cookie: COOKIE, 'x-user': 'alice' }
  const csrf = fieldsOf((await app.inject({ url: '/device', headers: browser })).body)[0]?.[1]
  const page = await post(app, '/device', { csrf, user_code: userCode }, browser)
  await decide(app, [...ticked(page), ['decision', decision]])
}

const poll = async (server: ContractServer, deviceCode: string): Promise<Response> =>
  await send(server, '/token', { fields: { grant_type: DEVICE_GRANT, client_id: 'tv', device_code: deviceCode } })

const token = (fields: Fields, headers = {}) => async (server: ContractServer) =>
  await send(server, '/token', { fields, headers })
const refresh = (fields: Fields) => async (server: ContractServer) => await send(server, '/token', {
  fields: { grant_type: 'refresh_token', client_id: 'house', refresh_token: (await tokensOf(server)).refresh_token, ...fields }
})
const push = (fields: Fields) => async (server: ContractServer) => await send(server, '/par', { fields: pushed(fields) })
const ask = (fields: Fields) => async (server: ContractServer) => await send(server, '/device_authorization', {
  fields: { client_id: 'tv', resource: RESOURCE, ...fields }
})
const register = (metadata: object) => async (server: ContractServer) => await send(server, '/register', { json: metadata })

const JOB_HEADERS = { authorization: basic('job', JOB) }
const clientCredentials = token({ grant_type: 'client_credentials', resource: RESOURCE }, JOB_HEADERS)

const device = (what: (server: ContractServer, codes: Codes) => Promise<void>) => async (server: ContractServer) => {
  const codes = await codesOf(server)
  await what(server, codes)
  return await poll(server, codes.device_code)
}

const DESK = { authorization: basic('desk', DESK_SECRET) }

const bearing = (make: (now: number) => Promise<string>, fields: Fields = {}, headers: Sent['headers'] = DESK) =>
  async (server: ContractServer) => await send(server, '/token', {
    fields: { grant_type: JWT_BEARER, assertion: await make(server.clock()), ...fields }, headers
  })

const trading = async (server: ContractServer): Promise<Fields> => ({
  grant_type: TOKEN_EXCHANGE,
  subject_token: (await tokensOf(server)).access_token,
  subject_token_type: ACCESS_TOKEN,
  audience: SERVICE
})
const trade = (fields: Fields = {}, headers: Sent['headers'] = DESK) => async (server: ContractServer) =>
  await send(server, '/token', { fields: { ...await trading(server), ...fields }, headers })

const badge = (fields: Fields = {}, headers: Sent['headers'] = DESK) =>
  token({ grant_type: BADGE, badge: 'alice', resource: RESOURCE, ...fields }, headers)

/** At a store that fails from now on. */
const atFailing = (
  error: Error, fields: (server: ContractServer) => Promise<Fields>
) => async (server: ContractServer): Promise<Response> => {
  const sent = { fields: await fields(server), headers: DESK }
  server.watched.fail(error)
  return await send(server, '/token', sent)
}
const AWAY = new StoreUnavailableError('a secret detail')
const MISTAKE = new Error('a secret detail')
const bearingFields = async ({ clock }: ContractServer): Promise<Fields> =>
  ({ grant_type: JWT_BEARER, assertion: await idJag(clock()) })
const badgeFields = async (): Promise<Fields> => ({ grant_type: BADGE, badge: 'alice', resource: RESOURCE })

/** The grant types without a browser, besides client credentials. */
const directCases: readonly Case[] = [
  ['what an identity provider says of a user', 200, null, bearing((now) => idJag(now))],
  ['what a platform says of a workload', 200, null, bearing((now) => workload(now), { client_id: 'deploy', resource: RESOURCE }, {})],
  ['no assertion', 400, 'invalid_request', bearing(async () => '')],
  ['an assertion of nobody', 400, 'invalid_grant', bearing(async () => 'x.y.z')],
  ['an assertion for another client', 400, 'invalid_grant', bearing((now) => idJag(now, 'idp', { client_id: 'house' }))],
  ['an assertion that names a resource elsewhere', 400, 'invalid_target', bearing((now) => idJag(now, 'idp', { resource: 'https://evil.example/' }))],
  ['a scope beyond the assertion', 400, 'invalid_scope', bearing((now) => idJag(now), { scope: 'notes:write' })],
  ['a workload of nobody', 400, 'invalid_grant', bearing((now) => workload(now, 'evil'), { client_id: 'deploy', resource: RESOURCE }, {})],
  ['a workload as a client of others', 400, 'unauthorized_client', bearing((now) => workload(now))],
  ['an assertion about a user from a public client', 401, 'invalid_client', bearing((now) => idJag(now, 'idp', { client_id: 'open-desk' }), { client_id: 'open-desk' }, {})],
  ['an assertion and a wrong secret', 401, 'invalid_client', bearing((now) => idJag(now), {}, { authorization: basic('desk', 'x') })],
  ['an assertion, and keys that cannot be had', 503, 'temporarily_unavailable', bearing((now) => idJag(now, 'away'))],
  ['an assertion, and a store that is away', 503, 'temporarily_unavailable', atFailing(AWAY, bearingFields)],
  ['an assertion, and a host that throws', 500, 'server_error', bearing((now) => idJag(now, 'broken'))],
  ['an assertion, and a mistake of ours', 500, 'server_error', atFailing(MISTAKE, bearingFields)],
  ['an exchange for a service', 200, null, trade()],
  ['an exchange of a token of nobody', 400, 'invalid_request', trade({ subject_token: 'x' })],
  ['an exchange for a service of nobody', 400, 'invalid_target', trade({ audience: 'https://evil.example/' })],
  ['an exchange for more', 400, 'invalid_scope', trade({ scope: 'notes:write' })],
  ['an exchange by a public client', 400, 'unauthorized_client', trade({ client_id: 'open-desk' }, {})],
  ['an exchange and a wrong secret', 401, 'invalid_client', trade({}, { authorization: basic('desk', 'x') })],
  ['an exchange, and a store that is away', 503, 'temporarily_unavailable', atFailing(AWAY, trading)],
  ['an exchange, and a mistake of ours', 500, 'server_error', atFailing(MISTAKE, trading)],
  ['a grant of the host', 200, null, badge()],
  ['a grant that the host refuses', 400, 'invalid_grant', badge({ badge: 'evil' })],
  ['a grant of the host for another resource', 400, 'invalid_target', badge({ resource: 'https://evil.example/' })],
  ['a grant of the host for a malformed scope', 400, 'invalid_scope', badge({ scope: 'a"b' })],
  ['a grant of the host that was not registered', 400, 'unauthorized_client', badge({ client_id: 'house' }, {})],
  ['a grant of the host and a wrong secret', 401, 'invalid_client', badge({}, { authorization: basic('desk', 'x') })],
  ['a host that cannot decide now', 503, 'temporarily_unavailable', badge({ badge: 'away' })],
  ['a host that throws', 500, 'server_error', badge({ badge: 'broken' })],
  ['a grant of the host, and a store that is away', 503, 'temporarily_unavailable', atFailing(AWAY, badgeFields)],
  ['a grant of the host, and a mistake of ours', 500, 'server_error', atFailing(MISTAKE, badgeFields)]
]

const ownCases: Readonly<Record<string, readonly Case[]>> = {
  '/token': [
    ['a code', 200, null, (server) => exchange(server)],
    ['a refresh token', 200, null, refresh({})],
    ['client credentials', 200, null, clientCredentials],
    ['a device that was allowed', 200, null, device((server, codes) => decideDevice(server, codes.user_code, 'allow'))],
    ['no grant type', 400, 'invalid_request', token({ client_id: 'house' })],
    ['an unknown grant type', 400, 'unsupported_grant_type', token({ client_id: 'house', grant_type: 'password' })],
    ['a grant type that was not registered', 400, 'unauthorized_client', token({ client_id: 'tv', grant_type: 'authorization_code', code: 'x', code_verifier: 'x' })],
    ['a code of nobody', 400, 'invalid_grant', (server) => exchange(server, { code: 'x' })],
    ['a code for another resource', 400, 'invalid_target', (server) => exchange(server, { resource: 'https://evil.example/' })],
    ['a scope beyond the grant', 400, 'invalid_scope', refresh({ scope: 'notes:write' })],
    ['details beyond the grant', 400, 'invalid_authorization_details', (server) => exchange(server, { authorization_details: '[{"type":"payment"}]' })],
    ['details that cannot be read', 400, 'invalid_authorization_details', refresh({ authorization_details: '{%zz' })],
    ['a broken proof', 400, 'invalid_dpop_proof', (server) => exchange(server, {}, { dpop: 'x' })],
    ['a proof without nonce', 400, 'use_dpop_nonce', async (server) => {
      const { proof } = await dpopClient({ htu: `${ISSUER}/token`, now: server.clock })
      return await exchange(server, {}, { dpop: proof(null) })
    }],
    ['a device nobody has decided about', 400, 'authorization_pending', device(async () => {})],
    ['a device that asks too fast', 400, 'slow_down', device(async (server, codes) => { await poll(server, codes.device_code) })],
    ['a device that was denied', 400, 'access_denied', device((server, codes) => decideDevice(server, codes.user_code, 'deny'))],
    ['a device whose code has ended', 400, 'expired_token', device(async ({ clock }) => { clock.advance(600) })],
    ...directCases
  ],
  '/revoke': [
    ['a token', 200, null, async (server) => await send(server, '/revoke', { fields: { client_id: 'house', token: (await tokensOf(server)).access_token } })],
    ['a token of nobody', 200, null, async (server) => await send(server, '/revoke', { fields: { client_id: 'house', token: 'x' } })],
    ['no token', 400, 'invalid_request', async (server) => await send(server, '/revoke', { fields: { client_id: 'house' } })]
  ],
  '/introspect': [
    ['a token of its own', 200, null, async (server) => {
      const { access_token: accessToken } = await (await clientCredentials(server)).json() as Tokens
      return await send(server, '/introspect', { fields: { token: accessToken }, headers: JOB_HEADERS })
    }],
    ['a token of nobody', 200, null, async (server) => await send(server, '/introspect', { fields: { token: 'x' }, headers: JOB_HEADERS })],
    ['no token', 400, 'invalid_request', async (server) => await send(server, '/introspect', { headers: JOB_HEADERS })],
    ['a client that cannot show who it is', 401, 'invalid_client', async (server) => await send(server, '/introspect', { fields: { client_id: 'house', token: 'x' } })]
  ],
  '/par': [
    ['a request', 201, null, push({})],
    ['a request that names another', 400, 'invalid_request', push({ request_uri: 'urn:x' })],
    ['a client without redirect URIs', 400, 'invalid_request', push({ client_id: 'tv' })],
    ['a client that did not register the grant', 400, 'unauthorized_client', async (server) => {
      const answer = await register({ redirect_uris: [LOOPBACK], grant_types: [DEVICE_GRANT], token_endpoint_auth_method: 'none' })(server)
      const { client_id: id } = await answer.json() as { client_id: string }
      return await push({ client_id: id, redirect_uri: LOOPBACK })(server)
    }],
    ['a redirect URI of somebody else', 400, 'invalid_request', push({ redirect_uri: 'https://evil.example/' })],
    ['another response type', 400, 'unsupported_response_type', push({ response_type: 'token' })],
    ['another resource', 400, 'invalid_target', push({ resource: 'https://evil.example/' })],
    ['a malformed scope', 400, 'invalid_scope', push({ scope: 'a"b' })],
    ['a request object', 400, 'request_not_supported', push({ request: 'e30.e30.' })],
    ['details of no type', 400, 'invalid_authorization_details', push({ authorization_details: '[{}]' })],
    ['a broken proof', 400, 'invalid_dpop_proof', async (server) => await send(server, '/par', { fields: pushed(), headers: { dpop: 'x' } })],
    ['a proof without nonce', 400, 'use_dpop_nonce', async (server) => {
      const { proof } = await dpopClient({ htu: `${ISSUER}/par`, now: server.clock })
      return await send(server, '/par', { fields: pushed(), headers: { dpop: proof(null) } })
    }],
    ['one that is too long', 413, 'invalid_request', push({ state: 'x'.repeat(4000), nonce: 'x'.repeat(5000) })],
    ['one too many', 429, 'too_many_requests', async (server) => {
      const counter = { tenant: 'default', kind: 'pushed-request-quota', id: 'all' }
      await server.watched.store.increment(counter, { by: 20_000, window: 600 }, server.clock())
      return await push({})(server)
    }]
  ],
  '/device_authorization': [
    ['a device', 200, null, ask({ scope: 'notes:read' })],
    ['a client that did not register the grant', 400, 'unauthorized_client', ask({ client_id: 'house' })],
    ['another resource', 400, 'invalid_target', ask({ resource: 'https://evil.example/' })],
    ['a malformed scope', 400, 'invalid_scope', ask({ scope: 'a"b' })],
    ['one too many', 429, 'too_many_requests', async (server) => {
      const counter = { tenant: 'default', kind: 'device-quota', id: `all ${sha256('')}` }
      await server.watched.store.increment(counter, { by: 5000, window: 600 }, server.clock())
      return await ask({})(server)
    }]
  ],
  '/register': [
    ['a client', 201, null, register({ redirect_uris: [LOOPBACK] })],
    ['a client without a redirect URI', 400, 'invalid_redirect_uri', register({})],
    ['a client with a method that is none', 400, 'invalid_client_metadata', register({ redirect_uris: [LOOPBACK], token_endpoint_auth_method: 'x' })],
    ['metadata that are no object', 400, 'invalid_client_metadata', register([])],
    ['one too many, of whom an id cannot say it all', 429, 'too_many_requests', async (server) => {
      const counter = { tenant: 'default', kind: 'client-quota', id: 'registrations' }
      await server.watched.store.increment(counter, { by: 10_000_000, window: 600 }, server.clock())
      return await register({ redirect_uris: [`https://client.example/${randomId(600)}`] })(server)
    }]
  ]
}

/** Something right enough to make the endpoint ask the store. */
const usual: Readonly<Record<string, Sent>> = {
  '/token': { fields: { grant_type: 'refresh_token', client_id: '0123456789abcdefghijkl', refresh_token: 'x' } },
  '/revoke': { fields: { client_id: '0123456789abcdefghijkl', token: 'x' } },
  '/introspect': { fields: { client_id: '0123456789abcdefghijkl', token: 'x' } },
  '/par': { fields: pushed() },
  '/device_authorization': { fields: { client_id: 'tv', resource: RESOURCE } },
  '/register': { json: { redirect_uris: [LOOPBACK] } }
}

const failing = (path: string, error: Error) => async (server: ContractServer): Promise<Response> => {
  server.watched.fail(error)
  return await send(server, path, usual[path])
}

/** What every endpoint for clients answers, whatever it does. */
const commonCases = (path: string): readonly Case[] => [
  ['another method', 405, 'invalid_request', (server) => send(server, path, { method: 'GET' })],
  ['another type', 415, 'invalid_request', (server) => send(server, path, { body: 'x', headers: { 'content-type': 'text/plain' } })],
  ['too much', 413, 'invalid_request', (server) => send(server, path, { ...usual[path], body: `"${'x'.repeat(70_000)}"` })],
  ['what cannot be read', 400, 'invalid_request', (server) => send(server, path, { ...usual[path], body: '{%zz' })],
  ['a store that is away', 503, 'temporarily_unavailable', failing(path, new StoreUnavailableError('away'))],
  ['a mistake of ours', 500, 'server_error', failing(path, new Error('a secret detail'))]
]

const clientCases = (path: string): readonly Case[] => [
  ['no client', 401, 'invalid_client', (server) => send(server, path, { fields: { ...usual[path]?.fields, client_id: undefined } })],
  ['an unknown client', 401, 'invalid_client', (server) => send(server, path, { fields: { ...usual[path]?.fields, client_id: 'nobody' } })],
  ['a wrong secret', 401, 'invalid_client', (server) => send(server, path, {
    fields: { ...usual[path]?.fields, client_id: undefined }, headers: { authorization: basic('vault', `${SECRET}x`) }
  })],
  ['two methods at once', 400, 'invalid_request', (server) => send(server, path, {
    fields: { ...usual[path]?.fields, client_id: 'vault', client_secret: SECRET }, headers: { authorization: basic('vault', SECRET) }
  })]
]

const casesOf = (path: string): readonly Case[] => [
  ...ownCases[path] ?? [], ...commonCases(path), ...(path === '/register' ? [] : clientCases(path))
]

/** The codes of lib/protocol/oauth-error.ts that no endpoint for clients ever answers, and where they are to be met. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  consent_required: 'redirect',
  request_uri_not_supported: 'redirect',
  unmet_authentication_requirements: 'redirect',
  invalid_request_uri: 'page',
  insufficient_scope: 'resource',
  insufficient_user_authentication: 'resource'
}

const README = readFileSync('README.md', 'utf8')
/** The rows of its table of codes: the codes, what it says of the status, and where. */
const DOCUMENTED = [...README.matchAll(/^\| (`[a-z_]+`.*?) \| (.*?) \| (.*?) \|$/gm)]

function isDocumentedAs (error: string, status: string, path: string): boolean {
  const isAt = (places: string): boolean => places === 'every OAuth endpoint' || places.includes(`\`${path}\``) ||
    (path.startsWith('/register/') && places.includes('below it'))
  return DOCUMENTED.some(([, codes = '', statuses = '', places = '']) =>
    codes.includes(`\`${error}\``) && statuses.includes(status) && isAt(places))
}

const CODES = [...readFileSync('lib/protocol/oauth-error.ts', 'utf8').matchAll(/^ {2}(\w+): \d{3},?$/gm)].map(([, code = '']) => code)

/** `open`: whether scripts of every origin may read it. */
async function assertContract (
  t: Test, answer: Response, status: number, error: string | null, open = true
): Promise<void> {
  const text = await answer.text()
  t.equal(answer.status, status, text)
  t.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8')
  t.equal(answer.headers.get('cache-control'), 'no-store')
  t.equal(answer.headers.get('access-control-allow-origin'), open ? '*' : null)
  const body: Record<string, unknown> = JSON.parse(text)
  t.notOk(hasNull(body), 'there is no null')
  t.equal(body.error ?? null, error)
  if (error !== null) {
    t.strictSame(Object.keys(body), ['error', 'error_description'])
    t.match(body.error_description, /^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'RFC 6749 §5.2')
    t.notMatch(text, /secret detail|evil\.example|zz/)
    t.ok(isDocumentedAs(error, String(status), new URL(answer.url).pathname), `README.md says where ${error} is met, as ${status}`)
  }
  t.equal(answer.headers.has('retry-after'), [429, 503].includes(status))
  t.equal(answer.headers.has('allow'), status === 405)
  if (error === 'invalid_token') t.equal(answer.headers.get('www-authenticate'), 'Bearer realm="oauth"')
}

async function assertEmpty (t: Test, answer: Response): Promise<void> {
  t.match([answer.status, answer.headers.get('cache-control'), await answer.text()], [204, 'no-store', ''])
  t.notOk(answer.headers.has('content-type'))
}

for (const path of Object.keys(ownCases)) {
  t.test(`POST ${path} keeps the contract in everything that it answers`, async (t) => {
    for (const [what, status, error, bring] of casesOf(path)) {
      await t.test(`${what}: ${status}`, async (t) => {
        const server = await contractServer(t)
        await assertContract(t, await bring(server), status, error)
      })
    }
  })

  t.test(`POST ${path} keeps the contract when there are too many requests`, async (t) => {
    const server = await contractServer(t, { limits: { general: { max: 1, window: 60 } } })
    const again = async () => await send(server, path, { headers: { origin: 'https://app.example' } })
    await again()
    await assertContract(t, await again(), 429, 'too_many_requests')
  })
}

t.test('POST /register keeps the contract where clients cannot register', async (t) => {
  const server = await contractServer(t, { routes: { registration: false } })

  await assertContract(t, await register({})(server), 404, 'invalid_request')
})

interface Managed {
  readonly clientId: string
  readonly path: string
  readonly headers: { readonly authorization: string }
}

async function managed (server: ContractServer, admission: Sent['headers'] = {}): Promise<Managed> {
  const answer = await send(server, '/register', { json: { redirect_uris: [LOOPBACK] }, headers: admission })
  const told: Record<string, unknown> = JSON.parse(await answer.text())
  const clientId = String(told.client_id)
  return { clientId, path: `/register/${clientId}`, headers: { authorization: `Bearer ${String(told.registration_access_token)}` } }
}

/** To a registration, by its client unless other headers are given; metadata go with its id. */
const manage = (method: string, sent: Sent & { readonly metadata?: object } = {}) => async (server: ContractServer) => {
  const { clientId, path, headers } = await managed(server)
  const { metadata, ...rest } = sent
  const json = metadata === undefined ? {} : { json: { client_id: clientId, ...metadata } }
  return await send(server, path, { method, headers, ...json, ...rest })
}

const manageFailing = (method: string, error: Error) => async (server: ContractServer) => {
  const { clientId, path, headers } = await managed(server)
  server.watched.fail(error)
  const json = method === 'PUT' ? { json: { client_id: clientId, redirect_uris: [LOOPBACK] } } : {}
  return await send(server, path, { method, headers, ...json })
}

const MANAGING = ['GET', 'PUT', 'DELETE']
const METADATA = { redirect_uris: [LOOPBACK] }

const managementCases: readonly Case[] = [
  ['its registration', 200, null, manage('GET')],
  ['another registration in its place', 200, null, manage('PUT', { metadata: METADATA })],
  ['the id of another', 400, 'invalid_client_metadata', manage('PUT', { metadata: { ...METADATA, client_id: 'evil.example' } })],
  ['metadata that are null', 400, 'invalid_client_metadata', manage('PUT', { json: null })],
  ['no metadata at all', 400, 'invalid_client_metadata', manage('PUT')],
  ['a method that is none', 400, 'invalid_client_metadata', manage('PUT', { metadata: { ...METADATA, token_endpoint_auth_method: 'zz' } })],
  ['a redirect URI that is a script', 400, 'invalid_redirect_uri', manage('PUT', { metadata: { redirect_uris: ['javascript:zz'] } })],
  ['what cannot be read', 400, 'invalid_request', manage('PUT', { json: {}, body: '{%zz' })],
  ['another type', 415, 'invalid_request', async (server) => {
    const { path, headers } = await managed(server)
    return await send(server, path, { method: 'PUT', body: 'x', headers: { ...headers, 'content-type': 'text/plain' } })
  }],
  ['too much', 413, 'invalid_request', manage('PUT', { json: {}, body: `"${'x'.repeat(70_000)}"` })],
  ...MANAGING.flatMap((method): Case[] => {
    const metadata = method === 'PUT' ? { metadata: METADATA } : {}
    return [
      [`${method} without a token`, 401, 'invalid_token', manage(method, { headers: {}, ...metadata })],
      [`${method} with the token of another`, 401, 'invalid_token', async (server) => {
        const { headers } = await managed(server)
        return await manage(method, { headers, ...metadata })(server)
      }],
      [`${method} with a secret`, 401, 'invalid_token', manage(method, { headers: { authorization: basic('vault', SECRET) }, ...metadata })],
      [`${method} of a client that there is not`, 401, 'invalid_token', async (server) =>
        await send(server, '/register/zz', { method, headers: (await managed(server)).headers, ...(method === 'PUT' ? { json: METADATA } : {}) })],
      [`${method} at a store that is away`, 503, 'temporarily_unavailable', manageFailing(method, AWAY)],
      [`${method} and a mistake of ours`, 500, 'server_error', manageFailing(method, MISTAKE)]
    ]
  }),
  ...['POST', 'PATCH', 'OPTIONS'].map((method): Case => [method, 405, 'invalid_request', manage(method, { json: {} })])
]

t.test('/register/:clientId keeps the contract in everything that it answers, and is no business of other origins', async (t) => {
  for (const [what, status, error, bring] of managementCases) {
    await t.test(`${what}: ${status}`, async (t) => {
      const server = await contractServer(t)
      await assertContract(t, await bring(server), status, error, false)
    })
  }
})

t.test('/register/:clientId says nothing of a client that has ended, which is gone then', async (t) => {
  const server = await contractServer(t)
  const { path, headers } = await managed(server)

  await assertEmpty(t, await send(server, path, { method: 'DELETE', headers }))
  for (const method of MANAGING) await assertContract(t, await send(server, path, { method, headers }), 401, 'invalid_token', false)
})

for (const tier of ['general', 'sensitive']) {
  t.test(`/register/:clientId keeps the contract when there are too many requests (${tier})`, async (t) => {
    const server = await contractServer(t, { limits: { [tier]: { max: 1, window: 60 } } })
    await send(server, '/register/x', { method: 'GET' })

    for (const method of MANAGING) {
      await assertContract(t, await send(server, '/register/x', { method }), 429, 'too_many_requests', false)
    }
  })
}

const ADMISSION = 'an-initial-access-token-of-the-operator'
const POLICY: RegistrationOptions = {
  initialAccessTokens: [ADMISSION],
  softwareStatements: { issuers: [{ issuer: 'https://vendor.example', jwksUri: 'http://127.0.0.1:9/jwks' }] },
  management: true
}
const json = (members: object): string => Buffer.from(JSON.stringify(members)).toString('base64url')
const FOREIGN = `${json({ alg: 'ES256' })}.${json({ iss: 'https://other.example' })}.AA`

const admitted = (metadata: object, token = ADMISSION) => async (server: ContractServer) =>
  await send(server, '/register', { json: metadata, headers: { authorization: `Bearer ${token}` } })

const replacedStatement = async (server: ContractServer): Promise<Response> => {
  const { path, headers, clientId } = await managed(server, { authorization: `Bearer ${ADMISSION}` })
  return await send(server, path, { method: 'PUT', json: { client_id: clientId, software_statement: 'x' }, headers })
}

const policyCases: readonly Case[] = [
  ['a client with a token', 201, null, admitted({ redirect_uris: [LOOPBACK] })],
  ['a client without one', 401, 'invalid_token', register({ redirect_uris: [LOOPBACK] })],
  ['a client with another', 401, 'invalid_token', admitted({ redirect_uris: [LOOPBACK] }, `${ADMISSION}x`)],
  ['a broken statement', 400, 'invalid_software_statement', admitted({ software_statement: 'x' })],
  ['a statement of somebody', 400, 'unapproved_software_statement', admitted({ software_statement: FOREIGN })]
]

const signedIn = (headers: Sent['headers'], metadata: object = METADATA) => async (server: ContractServer) =>
  await send(server, '/register', { json: metadata, headers: { ...headers } })

const signedInCases: readonly Case[] = [
  ['a user', 201, null, signedIn({ 'x-user': 'alice', origin: ISSUER })],
  ['nobody who is signed in', 401, 'login_required', signedIn({ origin: ISSUER })],
  ['a user, on a page of somebody else', 403, 'access_denied', signedIn({ 'x-user': 'alice', origin: 'https://evil.example' })],
  ['a client that the host does not want', 403, 'access_denied', signedIn({ 'x-user': 'alice', origin: ISSUER }, { ...METADATA, client_name: 'evil.example' })],
  ['a host that cannot decide now', 503, 'temporarily_unavailable', signedIn({ 'x-user': 'alice', origin: ISSUER }, { ...METADATA, client_name: 'away' })],
  ['a host that throws', 500, 'server_error', signedIn({ 'x-user': 'alice', origin: ISSUER }, { ...METADATA, client_name: 'broken' })]
]

const allow: RegistrationOptions['allow'] = ({ metadata: { client_name: name } }) => {
  if (name === 'away') throw AWAY
  if (name === 'broken') throw Object.assign(new Error('a secret detail'), { statusCode: 404 })
  return name === undefined
}

t.test('POST /register keeps the contract where users register their clients, and the host has its word', async (t) => {
  const server = await contractServer(t, { routes: { registration: { signedIn: true, allow, management: true } } })

  for (const [what, status, error, bring] of signedInCases) {
    await t.test(`${what}: ${status}`, async (t) => { await assertContract(t, await bring(server), status, error) })
  }
  const { clientId, path, headers } = await managed(server, { 'x-user': 'alice', origin: ISSUER })
  for (const [name, status, error] of [['evil.example', 403, 'access_denied'], ['away', 503, 'temporarily_unavailable'], ['broken', 500, 'server_error']] as const) {
    const changed = { ...METADATA, client_id: clientId, client_name: name }
    await assertContract(t, await send(server, path, { method: 'PUT', json: changed, headers }), status, error, false)
  }
})

t.test('POST /register keeps the contract where the operator says who registers', async (t) => {
  const server = await contractServer(t, { routes: { registration: POLICY } })

  for (const [what, status, error, bring] of policyCases) {
    await t.test(`${what}: ${status}`, async (t) => { await assertContract(t, await bring(server), status, error) })
  }
  await assertContract(t, await replacedStatement(server), 400, 'invalid_software_statement', false)
})

const SIGNED = 'application/token-introspection+jwt'
const introspect = async (server: ContractServer, fields: Fields, accept = SIGNED): Promise<Response> =>
  await send(server, '/introspect', { fields, headers: { ...JOB_HEADERS, accept } })

t.test('signed introspection answers keep the contract: their own type, never kept, without null', async (t) => {
  const server = await contractServer(t)
  const { access_token: own } = await (await clientCredentials(server)).json() as Tokens

  for (const [token, active] of [[own, true], ['x', false]] as const) {
    for (const accept of [SIGNED, `text/plain, ${SIGNED.toUpperCase()};q=0.5`]) {
      const answer = await introspect(server, { token }, accept)
      const jwt = await answer.text()
      t.match([answer.status, answer.headers.get('content-type')], [200, SIGNED])
      t.equal(answer.headers.get('cache-control'), 'no-store')
      t.equal(answer.headers.get('access-control-allow-origin'), '*')
      t.equal(decodeProtectedHeader(jwt).typ, 'token-introspection+jwt')
      t.match(decodeJwt(jwt), { iss: ISSUER, aud: 'job', token_introspection: { active } })
      t.notOk(hasNull(decodeJwt(jwt)))
    }
    await assertContract(t, await introspect(server, { token }, `${SIGNED};q=0, */*`), 200, null)
  }
})

t.test('whoever asks for a signed introspection answer is refused in JSON', async (t) => {
  const server = await contractServer(t)
  const asking = { fields: { token: 'x' }, headers: { accept: SIGNED, authorization: basic('job', 'x') } }

  await assertContract(t, await introspect(server, {}), 400, 'invalid_request')
  await assertContract(t, await send(server, '/introspect', asking), 401, 'invalid_client')
  await assertContract(t, await send(server, '/introspect', { method: 'GET', headers: { accept: SIGNED } }), 405, 'invalid_request')
  const { access_token: token } = await (await clientCredentials(server)).json() as Tokens
  server.watched.fail(AWAY)
  await assertContract(t, await introspect(server, { token }), 503, 'temporarily_unavailable')
  server.watched.fail(MISTAKE)
  await assertContract(t, await introspect(server, { token }), 500, 'server_error')
})

t.test('a key elsewhere that does not sign keeps the contract', async (t) => {
  const { algorithm, publicKey, sign } = await createSigningKey('ES256')
  let isAway = false
  const server = await contractServer(t, {
    signers: [{
      algorithm,
      publicJwk: publicKey.export({ format: 'jwk' }),
      async sign (bytes) {
        if (isAway) throw new Error('a secret detail')
        return await sign(bytes)
      }
    }]
  })
  isAway = true

  await assertContract(t, await clientCredentials(server), 503, 'temporarily_unavailable')
  await assertContract(t, await introspect(server, { token: 'x' }), 503, 'temporarily_unavailable')
})

t.test('a preflight is answered with nothing, and not kept', async (t) => {
  const server = await contractServer(t)

  for (const path of [...Object.keys(ownCases), ...DOCUMENTS]) await assertEmpty(t, await send(server, path, { method: 'OPTIONS' }))
})

t.test('a client that authenticates by header is told how, and no other', async (t) => {
  const server = await contractServer(t)
  const tried = async (headers: Record<string, string>) =>
    (await send(server, '/token', { fields: { grant_type: 'x' }, headers })).headers.get('www-authenticate')

  t.equal(await tried({ authorization: basic('vault', 'x') }), 'Basic realm="oauth"')
  t.equal(await tried({}), null)
})

const DOCUMENTS = ['/.well-known/oauth-authorization-server', '/.well-known/oauth-protected-resource/mcp', '/.well-known/jwks.json']

t.test('the documents keep the contract: JSON without null, to be kept for a while, or a 404 that is not', async (t) => {
  const server = await contractServer(t)

  for (const path of DOCUMENTS) {
    const answer = await send(server, path, { method: 'GET' })
    t.match([answer.status, answer.headers.get('content-type')], [200, 'application/json; charset=utf-8'])
    t.match(answer.headers.get('cache-control'), /^public, max-age=\d+$/)
    t.notOk(hasNull(await answer.json()))

    const missing = await send(server, `${path}/nothing-here`, { method: 'GET' })
    await assertContract(t, missing, 404, 'invalid_request')
    await assertContract(t, await send(server, path), 405, 'invalid_request')
  }
})

t.test('OpenID discovery is not served: a 404 makes clients go on to the next place', async (t) => {
  const server = await contractServer(t)

  await assertContract(t, await send(server, '/.well-known/openid-configuration', { method: 'GET' }), 404, 'invalid_request')
})

type Visit = readonly [string, number, string, Sent]
const USER = { cookie: COOKIE, 'x-user': 'alice' }

const visits: readonly Visit[] = [
  ['a right request', 200, authorizationUrl({}), { headers: USER }],
  ['an unknown client', 400, authorizationUrl({ client_id: 'nobody' }), { headers: USER }],
  ['a redirect URI of somebody else', 400, authorizationUrl({ redirect_uri: 'https://evil.example/' }), { headers: USER }],
  ['nobody who is signed in', 401, authorizationUrl({}), {}],
  ['a pushed request that is none', 400, '/authorize?client_id=house&request_uri=urn:ietf:params:oauth:request_uri:x', { headers: USER }],
  ['an answer to no question', 400, '/authorize/consent', { method: 'POST', fields: { decision: 'allow' }, headers: USER }],
  ['an answer from another site', 403, '/authorize/consent', { method: 'POST', fields: { decision: 'allow' }, headers: { ...USER, origin: 'https://evil.example' } }],
  ['no answer', 405, '/authorize/consent', { headers: USER }],
  ['a device', 200, '/device', { headers: USER }],
  ['a device, and nobody who is signed in', 401, '/device', {}],
  ['a code from another site', 403, '/device', { method: 'POST', fields: { user_code: 'x' }, headers: USER }],
  ['another way to type a code', 405, '/device', { method: 'PUT', headers: USER }],
  ['an answer that is too long', 413, '/authorize/consent', { method: 'POST', fields: { decision: 'zz'.repeat(40_000) }, headers: USER }],
  ['an answer of another type', 415, '/authorize/consent', { method: 'POST', json: { decision: 'allow' }, headers: USER }],
  ['a code that is too long', 413, '/device', { method: 'POST', fields: { user_code: 'zz'.repeat(40_000) }, headers: USER }],
  ['a code of another type', 415, '/device', { method: 'POST', json: { user_code: 'x' }, headers: USER }]
]

async function assertPage (t: Test, answer: Response, status: number, what: string): Promise<void> {
  const text = await answer.text()
  t.equal(answer.status, status, what)
  t.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8', what)
  t.equal(answer.headers.get('cache-control'), 'no-store', what)
  t.match(answer.headers.get('content-security-policy'), "frame-ancestors 'none'", what)
  t.match(text, /^<!doctype html>/i, what)
  t.notOk(answer.headers.has('location'), what)
  t.equal(answer.headers.has('retry-after'), [429, 503].includes(status), what)
  if (status >= 400) t.notMatch(text, /secret detail|evil\.example|zz|\bnull\b|undefined/, what)
}

t.test('what people see is a page, never kept, never framed, whatever happens', async (t) => {
  const server = await contractServer(t)

  for (const [what, status, path, sent] of visits) {
    await assertPage(t, await send(server, path, { method: 'GET', ...sent }), status, what)
  }
})

/** The way to each page up to the request that fails. */
const ways: Readonly<Record<string, (server: ContractServer) => Promise<readonly [string, Sent]>>> = {
  'GET /authorize': async () => [authorizationUrl({}), { method: 'GET', headers: USER }],
  'GET /authorize for a client that registered': async () =>
    [authorizationUrl({ client_id: '0123456789abcdefghijkl' }), { method: 'GET', headers: USER }],
  'GET /authorize for a pushed request': async (server) => {
    const { request_uri: uri } = await (await push({})(server)).json() as { request_uri: string }
    return [`/authorize?${String(new URLSearchParams({ client_id: 'house', request_uri: uri }))}`, { method: 'GET', headers: USER }]
  },
  'POST /authorize/consent': async ({ app }) => {
    const fields = ticked(await app.inject({ url: authorizationUrl({}), headers: USER }))
    return ['/authorize/consent', { body: String(new URLSearchParams([...fields, ['decision', 'allow']])), headers: USER }]
  },
  'POST /authorize/consent, with a no': async ({ app }) => {
    const fields = ticked(await app.inject({ url: authorizationUrl({}), headers: USER }))
    return ['/authorize/consent', { body: String(new URLSearchParams([...fields, ['decision', 'deny']])), headers: USER }]
  },
  'POST /device': async (server) => {
    const { user_code: code } = await codesOf(server)
    const csrf = fieldsOf((await server.app.inject({ url: '/device', headers: USER })).body)[0]?.[1]
    return ['/device', { fields: { csrf, user_code: code }, headers: USER }]
  }
}

for (const [way, prepare] of Object.entries(ways)) {
  t.test(`${way} is a page that says nothing of what failed, and sends nobody anywhere`, async (t) => {
    const server = await contractServer(t)
    const [path, sent] = await prepare(server)

    server.watched.fail(AWAY)
    await assertPage(t, await send(server, path, sent), 503, 'a store that is away')
    server.watched.fail(MISTAKE)
    await assertPage(t, await send(server, path, sent), 500, 'a mistake of ours')
  })
}

t.test('every page is a page when the host cannot say who is signed in', async (t) => {
  let failure: Error | null = null
  const signIn = () => {
    if (failure !== null) throw failure
    return { subject: 'alice' }
  }
  const server = await contractServer(t, { routes: { signIn } })
  const sent = await Promise.all(Object.values(ways).map((prepare) => prepare(server)))
  const known = sent.filter(([path]) => !path.includes('0123456789'))

  for (const [error, status] of [[AWAY, 503], [MISTAKE, 500]] as const) {
    failure = error
    for (const [path, what] of [...known, ['/device', { method: 'GET', headers: USER }] as const]) {
      await assertPage(t, await send(server, path, what), status, path)
    }
  }
})

t.test('every page is a page when there are too many requests', async (t) => {
  const server = await contractServer(t, { limits: { general: { max: 1, window: 60 } } })
  await send(server, '/device', { method: 'GET' })

  for (const [path, sent] of [[authorizationUrl({}), { method: 'GET' }], ['/authorize/consent', {}], ['/device', {}], ['/device', { method: 'GET' }]] as const) {
    await assertPage(t, await send(server, path, sent), 429, path)
  }
})

t.test('POST /authorize is for nobody, and refused as at other endpoints', async (t) => {
  const server = await contractServer(t)

  await assertContract(t, await send(server, '/authorize'), 405, 'invalid_request', false)
})

const redirects: Record<string, [Fields, string, Sent['headers']?]> = {
  'a silent request, and nobody who is signed in': [{ prompt: 'none' }, 'login_required', {}],
  'a silent request, and nobody who has agreed': [{ prompt: 'none' }, 'consent_required'],
  'a sign-in that the host cannot prove': [{ max_age: '1' }, 'unmet_authentication_requirements'],
  'another response type': [{ response_type: 'token' }, 'unsupported_response_type'],
  'no challenge': [{ code_challenge: undefined }, 'invalid_request'],
  'another resource': [{ resource: 'https://evil.example/' }, 'invalid_target'],
  'a malformed scope': [{ scope: 'a"b' }, 'invalid_scope'],
  'details of no type': [{ authorization_details: '[{}]' }, 'invalid_authorization_details'],
  'a request object': [{ request: 'e30.e30.' }, 'request_not_supported'],
  'a request elsewhere': [{ request_uri: 'https://evil.example/' }, 'request_uri_not_supported']
}

t.test('what a client of the operator is told by redirect has a documented code, state and issuer', async (t) => {
  const server = await contractServer(t)

  for (const [what, [fields, error, headers = USER]] of Object.entries(redirects)) {
    const first = await send(server, authorizationUrl(fields), { method: 'GET', headers })
    const location = first.headers.get('location') ?? ''
    // Where the user has to sign in anew, the browser first comes back to us.
    const answer = location.startsWith('/') ? await send(server, location, { method: 'GET', headers }) : first
    const { searchParams } = new URL(answer.headers.get('location') ?? 'none:')
    t.equal(answer.status, 303, what)
    t.equal(answer.headers.get('cache-control'), 'no-store', what)
    t.match(Object.fromEntries(searchParams), { error, error_description: /./, state: 'a state', iss: ISSUER }, what)
    t.ok(isDocumentedAs(error, '', '/authorize'), `README.md says that ${error} is met at /authorize`)
  }
})

t.test('what a client that registered itself is told stands behind a link on a page', async (t) => {
  const server = await contractServer(t)
  const metadata = { redirect_uris: [LOOPBACK], grant_types: [DEVICE_GRANT], token_endpoint_auth_method: 'none' }
  const { client_id: id } = await (await register(metadata)(server)).json() as { client_id: string }

  const answer = await send(server, authorizationUrl({ client_id: id, redirect_uri: LOOPBACK }), { method: 'GET', headers: USER })
  t.match(await answer.clone().text(), 'error=unauthorized_client')
  await assertPage(t, answer, 400, 'a client that did not register the grant')
})

t.test('every code that there is has its place here', async (t) => {
  const cases = [...Object.keys(ownCases).flatMap(casesOf), ...policyCases, ...signedInCases, ...managementCases]
  const met = new Set(cases.map(([, , error]) => error))

  t.ok(CODES.length > 20)
  for (const code of CODES) t.equal(met.has(code), ELSEWHERE[code] === undefined, code)
})

t.test('every endpoint that there is has its place here', async (t) => {
  const { paths } = await contractServer(t)
  const pages = visits.map(([, , path]) => path.split('?')[0] ?? '')
  const known = [...Object.keys(ownCases), '/register/:clientId', ...pages]

  const missing = [...paths].filter((path) => !known.includes(path) && !path.startsWith('/.well-known/'))

  t.strictSame(missing, [])
})
