import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { sha256 } from '../../lib/crypto/digest.js'
import { DEVICE_GRANT } from '../../lib/protocol/grant-types.js'
import { StoreUnavailableError } from '../../lib/stores/errors.js'
import type { RegistrationOptions } from '../../types/registration-options.js'
import { contractServer, JOB, type ContractServer } from '../helpers/contract.js'
import { dpopClient } from '../helpers/dpop.js'
import { fieldsOf } from '../helpers/markup.js'
import {
  authorizationUrl, codeFor, COOKIE, decide, ISSUER, LOOPBACK, post, RESOURCE, SECRET, ticked, VERIFIER, type Fields
} from '../helpers/oauth-app.js'

const HOUSE_URI = 'https://house.example/cb?from=as'
const FORM = 'application/x-www-form-urlencoded'
const basic = (id: string, secret: string): string => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`

interface Sent {
  readonly method?: string
  readonly fields?: Fields
  readonly json?: unknown
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

async function send ({ origin }: ContractServer, path: string, sent: Sent = {}): Promise<Response> {
  const { method = 'POST', fields = {}, json, body, headers = {} } = sent
  const given: Array<[string, string]> = []
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) given.push([name, value])
  const type = json === undefined ? FORM : 'application/json'
  const text = body ?? (json === undefined ? new URLSearchParams(given).toString() : JSON.stringify(json))
  return await fetch(origin + path, {
    method,
    redirect: 'manual',
    headers: method === 'GET' ? headers : { 'content-type': type, ...headers },
    ...(method === 'GET' ? {} : { body: text })
  })
}

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
    ['a broken proof', 400, 'invalid_dpop_proof', (server) => exchange(server, {}, { dpop: 'x' })],
    ['a proof without nonce', 400, 'use_dpop_nonce', async (server) => {
      const { proof } = await dpopClient({ htu: `${ISSUER}/token`, now: server.clock })
      return await exchange(server, {}, { dpop: proof(null) })
    }],
    ['a device nobody has decided about', 400, 'authorization_pending', device(async () => {})],
    ['a device that asks too fast', 400, 'slow_down', device(async (server, codes) => { await poll(server, codes.device_code) })],
    ['a device that was denied', 400, 'access_denied', device((server, codes) => decideDevice(server, codes.user_code, 'deny'))],
    ['a device whose code has ended', 400, 'expired_token', device(async ({ clock }) => { clock.advance(600) })]
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
    ['metadata that are no object', 400, 'invalid_client_metadata', register([])]
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
  login_required: 'redirect',
  consent_required: 'redirect',
  request_uri_not_supported: 'redirect',
  unmet_authentication_requirements: 'redirect',
  invalid_request_uri: 'page',
  insufficient_scope: 'resource',
  insufficient_user_authentication: 'resource'
}

const README = readFileSync('README.md', 'utf8')
const CODES = [...readFileSync('lib/protocol/oauth-error.ts', 'utf8').matchAll(/^ {2}(\w+): \d{3},?$/gm)].map(([, code = '']) => code)

async function assertContract (t: Test, answer: Response, status: number, error: string | null): Promise<void> {
  const text = await answer.text()
  t.equal(answer.status, status, text)
  t.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8')
  t.equal(answer.headers.get('cache-control'), 'no-store')
  t.equal(answer.headers.get('access-control-allow-origin'), '*')
  const body: Record<string, unknown> = JSON.parse(text)
  t.notOk(hasNull(body), 'there is no null')
  t.equal(body.error ?? null, error)
  if (error !== null) {
    t.strictSame(Object.keys(body), ['error', 'error_description'])
    t.match(body.error_description, /^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'RFC 6749 §5.2')
    t.notMatch(text, /secret detail|evil\.example|zz/)
    t.ok(README.includes(`\`${error}\``), `README.md says what ${error} is`)
  }
  t.equal(answer.headers.has('retry-after'), [429, 503].includes(status))
  t.equal(answer.headers.has('allow'), status === 405)
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

const policyCases: readonly Case[] = [
  ['a client with a token', 201, null, admitted({ redirect_uris: [LOOPBACK] })],
  ['a client without one', 401, 'invalid_token', register({ redirect_uris: [LOOPBACK] })],
  ['a client with another', 401, 'invalid_token', admitted({ redirect_uris: [LOOPBACK] }, `${ADMISSION}x`)],
  ['a broken statement', 400, 'invalid_software_statement', admitted({ software_statement: 'x' })],
  ['a statement of somebody', 400, 'unapproved_software_statement', admitted({ software_statement: FOREIGN })]
]

t.test('POST /register keeps the contract where the operator says who registers', async (t) => {
  const server = await contractServer(t, { routes: { registration: POLICY } })

  for (const [what, status, error, bring] of policyCases) {
    await t.test(`${what}: ${status}`, async (t) => { await assertContract(t, await bring(server), status, error) })
  }
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
  ['a code from another site', 403, '/device', { method: 'POST', fields: { user_code: 'x' }, headers: USER }]
]

t.test('what people see is a page, never kept, never framed, whatever happens', async (t) => {
  const server = await contractServer(t)

  for (const [what, status, path, sent] of visits) {
    const answer = await send(server, path, { method: 'GET', ...sent })
    t.equal(answer.status, status, what)
    t.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8', what)
    t.equal(answer.headers.get('cache-control'), 'no-store', what)
    t.match(answer.headers.get('content-security-policy'), "frame-ancestors 'none'", what)
  }
})

const redirects: Record<string, [Fields, string, Sent['headers']?]> = {
  'a silent request, and nobody who is signed in': [{ prompt: 'none' }, 'login_required', {}],
  'a silent request, and nobody who has agreed': [{ prompt: 'none' }, 'consent_required'],
  'a sign-in that the host cannot prove': [{ max_age: '1' }, 'unmet_authentication_requirements'],
  'another response type': [{ response_type: 'token' }, 'unsupported_response_type'],
  'no challenge': [{ code_challenge: undefined }, 'invalid_request'],
  'another resource': [{ resource: 'https://evil.example/' }, 'invalid_target'],
  'a malformed scope': [{ scope: 'a"b' }, 'invalid_scope'],
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
    t.ok(README.includes(`\`${error}\``), `README.md says what ${error} is`)
  }
})

t.test('every code that there is has its place here', async (t) => {
  const met = new Set([...Object.keys(ownCases).flatMap(casesOf), ...policyCases].map(([, , error]) => error))

  t.ok(CODES.length > 20)
  for (const code of CODES) t.equal(met.has(code), ELSEWHERE[code] === undefined, code)
})

t.test('every endpoint that there is has its place here', async (t) => {
  const { paths } = await contractServer(t)
  const pages = visits.map(([, , path]) => path.split('?')[0] ?? '')
  const known = [...Object.keys(ownCases), ...pages]

  const missing = [...paths].filter((path) => !known.includes(path) && !path.startsWith('/.well-known/'))

  t.strictSame(missing, [])
})
