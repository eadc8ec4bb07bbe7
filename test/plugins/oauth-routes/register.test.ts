import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWTPayload } from 'jose'
import t, { type Test } from 'tap'
import { sha256 } from '../../../lib/crypto/digest.js'
import { buildApp } from '../../helpers/build-app.js'
import {
  authorize, codeFor, decide, ISSUER, LOOPBACK, oauthApp, post, ticked, VERIFIER, type Answer, type OAuthApp
} from '../../helpers/oauth-app.js'
import type { RegistrationOptions } from '../../../types/registration-options.js'

const TOKEN = 'initial-access-token-of-thirty-two-characters'
const PUBLIC = { client_name: 'Some client', redirect_uris: [LOOPBACK], token_endpoint_auth_method: 'none' }

type Headers = Readonly<Record<string, string>>
type Told = Readonly<Record<string, string | number | string[]>>

async function open (t: Test, registration: RegistrationOptions): Promise<OAuthApp> {
  return await oauthApp(t, { routes: { registration } })
}

async function send ({ app }: OAuthApp, payload: object = PUBLIC, headers: Headers = {}): Promise<Answer> {
  return await app.inject({ method: 'POST', url: '/register', payload, headers })
}

const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` })

async function kept ({ app }: OAuthApp): Promise<number> {
  return (await app.mcpClients.list()).clients.length
}

/** Refused as OAuth JSON that nobody keeps, with nothing registered. */
async function refused (t: Test, opened: OAuthApp, answer: Answer, status: number, error: string): Promise<void> {
  t.equal(answer.statusCode, status, answer.body)
  t.match(answer.json(), { error, error_description: String })
  t.equal(answer.headers['cache-control'], 'no-store')
  t.equal(await kept(opened), 0)
  t.match(opened.events.at(-1), { type: 'client.refused', outcome: 'denied' })
}

const strangers: Readonly<Record<string, Headers>> = {
  'no token': {},
  'a wrong token': bearer(`${TOKEN}x`),
  'no token behind the scheme': { authorization: 'Bearer' },
  'a token of another scheme': { authorization: `DPoP ${TOKEN}` },
  'a user and a password': { authorization: `Basic ${Buffer.from(`x:${TOKEN}`).toString('base64')}` }
}

for (const [name, headers] of Object.entries(strangers)) {
  t.test(`where an initial access token is needed, ${name} is refused with a challenge`, async (t) => {
    const opened = await open(t, { initialAccessTokens: [TOKEN] })
    const answer = await send(opened, PUBLIC, headers)

    await refused(t, opened, answer, 401, 'invalid_token')
    t.equal(answer.headers['www-authenticate'], 'Bearer realm="oauth"')
    t.notMatch(answer.body, TOKEN)
  })
}

t.test('any of the initial access tokens lets a client register', async (t) => {
  const opened = await open(t, { initialAccessTokens: ['x'.repeat(32), TOKEN] })

  for (const token of ['x'.repeat(32), TOKEN]) t.equal((await send(opened, PUBLIC, bearer(token))).statusCode, 201)
})

t.test('where a user has to be signed in, nobody else registers, and no page of another site', async (t) => {
  const opened = await open(t, { signedIn: true })
  const foreign = { 'x-user': 'alice', origin: 'https://evil.example' }
  await refused(t, opened, await send(opened), 401, 'login_required')
  await refused(t, opened, await send(opened, PUBLIC, foreign), 403, 'access_denied')
  await refused(t, opened, await send(opened, PUBLIC, { 'x-user': 'alice', 'sec-fetch-site': 'cross-site' }), 403, 'access_denied')

  t.equal((await send(opened, PUBLIC, { 'x-user': 'alice', origin: ISSUER })).statusCode, 201)
  t.match(opened.events.at(-1), { type: 'client.registered', subject: 'alice' })
})

t.test('a signIn that answers by itself is left to it', async (t) => {
  const opened = await oauthApp(t, {
    routes: {
      registration: { signedIn: true },
      signIn: async (_request, reply) => {
        await reply.code(418).send('mine')
        return null
      }
    }
  })

  t.match(await send(opened), { statusCode: 418, body: 'mine' })
})

t.test('the host has the last word, and only true lets through', async (t) => {
  const asked: unknown[] = []
  for (const word of [false, undefined, 1, 'true', null]) {
    const allow = (({ metadata, subject, statementIssuer, request }) => {
      asked.push([metadata.client_name, subject, statementIssuer, request.method])
      return word
    }) as NonNullable<RegistrationOptions['allow']>
    const opened = await open(t, { allow })
    await refused(t, opened, await send(opened), 403, 'access_denied')
  }
  t.strictSame(asked[0], ['Some client', null, null, 'POST'])
  t.equal((await send(await open(t, { allow: async () => true }))).statusCode, 201)
})

t.test('a host that fails to say lets nobody through', async (t) => {
  const opened = await open(t, { allow: () => { throw new Error('down') } })

  await refused(t, opened, await send(opened), 500, 'server_error')
})

t.test('where clients cannot register, every method says so, and nothing is advertised', async (t) => {
  const { app } = await oauthApp(t, { routes: { registration: false } })
  for (const method of ['GET', 'POST', 'PUT', 'DELETE'] as const) {
    const answer = await app.inject({ method, url: '/register' })
    t.equal(answer.statusCode, 404)
    t.match(answer.json(), { error: 'invalid_request' })
  }
  t.equal((await app.inject({ method: 'OPTIONS', url: '/register' })).statusCode, 204)
  t.notMatch((await app.inject('/.well-known/oauth-authorization-server')).body, 'registration_endpoint')
})

// Software statements.

const keys = await generateKeyPair('ES256', { extractable: true })
const others = await generateKeyPair('ES256')
const START = 1_700_000_000
const VENDOR = 'https://vendor.example'
const ABOUT = { iss: VENDOR, software_id: 'notes-app', client_name: 'Notes by the vendor', iat: START - 10 }

async function publisher (t: Test): Promise<string> {
  const app = buildApp(t)
  const jwk = { ...await exportJWK(keys.publicKey), kid: 'one', alg: 'ES256', use: 'sig' }
  app.get('/jwks', async () => ({ keys: [jwk] }))
  return `${await app.listen({ port: 0, host: '127.0.0.1' })}/jwks`
}

async function statement (claims: JWTPayload, header: object = {}, key: CryptoKey = keys.privateKey): Promise<string> {
  return await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'one', ...header }).sign(key)
}

async function believing (t: Test, required = false): Promise<OAuthApp> {
  const issuers = [{ issuer: VENDOR, jwksUri: await publisher(t) }]
  return await open(t, { softwareStatements: { issuers, required } })
}

t.test('what a believed statement says goes before what the client says, and is repeated', async (t) => {
  const opened = await believing(t)
  const signed = await statement({ ...ABOUT, aud: ISSUER, exp: START + 60, redirect_uris: ['https://notes.example/cb'] })
  const answer = await send(opened, { ...PUBLIC, software_statement: signed })

  t.equal(answer.statusCode, 201, answer.body)
  t.match(answer.json(), {
    client_name: 'Notes by the vendor', redirect_uris: ['https://notes.example/cb'], software_id: 'notes-app', software_statement: signed
  })
  t.notOk('iss' in answer.json<object>())
  t.equal((await send(opened)).statusCode, 201, 'without one, where it is not required')
})

const alien = (claims: JWTPayload, header?: object, key?: CryptoKey) => async () => await statement(claims, header, key)
const parts = async (): Promise<string[]> => (await statement(ABOUT)).split('.')
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const publicJwk = await exportJWK(keys.publicKey)

const statements: Readonly<Record<string, () => Promise<unknown>>> = {
  'another key': alien(ABOUT, {}, others.privateKey),
  'an unknown kid': alien(ABOUT, { kid: 'two' }),
  'a key in its header': alien(ABOUT, { jwk: await exportJWK(others.publicKey) }, others.privateKey),
  'a crit that nobody knows': alien(ABOUT, { crit: ['b64'], b64: true }),
  'the type of an access token': alien(ABOUT, { typ: 'at+jwt' }),
  'an end that is over': alien({ ...ABOUT, exp: START - 61 }),
  'a beginning to come': alien({ ...ABOUT, nbf: START + 61 }),
  'a time of issue to come': alien({ ...ABOUT, iat: START + 61 }),
  'another server as audience': alien({ ...ABOUT, aud: 'https://other.example' }),
  'no software': alien({ iss: VENDOR, iat: START }),
  'no issuer': alien({ software_id: 'x' }),
  'no signature': async () => `${encode({ alg: 'none' })}.${encode(ABOUT)}.`,
  'a signature by the public key': async () => `${encode({ alg: 'HS256' })}.${encode(ABOUT)}.${sha256(JSON.stringify(publicJwk))}`,
  'other claims than were signed': async () => { const [head, , tail] = await parts(); return `${head}.${encode({ ...ABOUT, client_name: 'x' })}.${tail}` },
  'too much to say': alien({ ...ABOUT, client_name: 'x'.repeat(20_000) }),
  'the form of a number': async () => 1,
  'the form of a list': async () => [await statement(ABOUT)],
  'no form at all': async () => 'x'
}

for (const [name, make] of Object.entries(statements)) {
  t.test(`a statement with ${name} is refused`, async (t) => {
    const opened = await believing(t)

    await refused(t, opened, await send(opened, { ...PUBLIC, software_statement: await make() }), 400, 'invalid_software_statement')
  })
}

t.test('a statement of an issuer that is not listed is not approved', async (t) => {
  const opened = await believing(t)
  const foreign = await statement({ ...ABOUT, iss: 'https://vendor.example.evil.example' })

  await refused(t, opened, await send(opened, { ...PUBLIC, software_statement: foreign }), 400, 'unapproved_software_statement')
})

t.test('where a statement is required nobody registers without one, and what it says is still checked', async (t) => {
  const opened = await believing(t, true)
  await refused(t, opened, await send(opened), 400, 'invalid_client_metadata')
  const script = await statement({ ...ABOUT, redirect_uris: ['javascript:alert(1)'] })
  await refused(t, opened, await send(opened, { ...PUBLIC, software_statement: script }), 400, 'invalid_redirect_uri')
})

t.test('while the keys of an issuer cannot be had, a statement is neither believed nor called wrong', async (t) => {
  const opened = await open(t, { softwareStatements: { issuers: [{ issuer: VENDOR, jwksUri: 'http://127.0.0.1:1/jwks' }] } })

  await refused(t, opened, await send(opened, { ...PUBLIC, software_statement: await statement(ABOUT) }), 503, 'temporarily_unavailable')
})

t.test('keys of a statement issuer are fetched safely, or the server does not start', async (t) => {
  const issuers = [{ issuer: VENDOR, jwksUri: 'http://vendor.example/jwks' }]

  await t.rejects(open(t, { softwareStatements: { issuers } }), {
    code: 'MCPS_ERR_INVALID_OPTION', message: /^registration\.softwareStatements\.issuers\.0\.jwksUri/
  })
})

// Management (RFC 7592).

async function manage (t: Test, metadata: object = {}, options: RegistrationOptions = {}) {
  const opened = await open(t, { management: true, ...options })
  const told = (await send(opened, { ...PUBLIC, ...metadata })).json<Told>()
  const { client_id: id, registration_access_token: token, registration_client_uri: uri } = told
  const ask = async (method: 'GET' | 'PUT' | 'DELETE', payload?: object, headers: Headers = bearer(String(token))): Promise<Answer> =>
    await opened.app.inject({
      method, url: new URL(String(uri)).pathname, headers, ...(payload === undefined ? {} : { payload })
    })
  return { opened, told, ask, clientId: String(id), token: String(token) }
}

t.test('a client is told where it manages its registration, by a token of which the digest is kept', async (t) => {
  const { opened: { records }, told, clientId, token } = await manage(t)

  t.equal(told.registration_client_uri, `${ISSUER}/register/${clientId}`)
  t.match(token, /^[\w-]{43}$/)
  const record = await records.get({ tenant: 'default', kind: 'client', id: clientId }, START)
  t.notMatch(record?.body, token)
  t.match(record?.body, sha256(token))
})

t.test('a client reads what it registered, without its secret', async (t) => {
  const { told, ask } = await manage(t, { token_endpoint_auth_method: 'client_secret_basic' })
  const { client_secret: secret, client_secret_expires_at: end, ...rest } = told
  const answer = await ask('GET')

  t.equal(answer.statusCode, 200)
  t.equal(answer.headers['cache-control'], 'no-store')
  t.strictSame(answer.json(), rest)
})

t.test('where it is not switched on there is no token, and nothing to ask', async (t) => {
  const opened = await open(t, {})
  const told = (await send(opened)).json<Told>()

  t.notOk('registration_access_token' in told || 'registration_client_uri' in told)
  t.equal((await opened.app.inject(`/register/${String(told.client_id)}`)).statusCode, 404)
})

t.test('nobody else manages a client: every refusal is the same, and changes nothing', async (t) => {
  const { opened, ask, clientId, token } = await manage(t)
  const other = (await send(opened, { ...PUBLIC, client_name: 'Other' })).json<Told>()
  const wrong: Headers[] = [{}, bearer('x'.repeat(43)), bearer(String(other.registration_access_token)), bearer(sha256(token)),
    { authorization: `DPoP ${token}` }, { authorization: `Basic ${token}` }]
  const bodies = new Set<string>()
  for (const headers of wrong) {
    for (const method of ['GET', 'PUT', 'DELETE'] as const) {
      const answer = await ask(method, method === 'PUT' ? { ...PUBLIC, client_id: clientId } : undefined, headers)
      t.equal(answer.statusCode, 401)
      t.match(answer.headers['www-authenticate'], /^Bearer /)
      bodies.add(answer.body)
    }
  }
  const { client: operators } = await opened.app.mcpClients.create({ redirectUris: [LOOPBACK] })
  for (const id of ['a'.repeat(22), 'x', operators.clientId, 'house']) {
    const unknown = await opened.app.inject({ url: `/register/${id}`, headers: bearer(token) })
    t.equal(unknown.statusCode, 401)
    bodies.add(unknown.body)
  }
  t.equal(bodies.size, 1)
  t.equal((await ask('GET')).statusCode, 200)
})

t.test('a client replaces its metadata whole; other redirect URIs end what was not exchanged', async (t) => {
  const { opened, ask, clientId } = await manage(t, { client_uri: 'https://c.example/' })
  const { app, events } = opened
  const code = await codeFor(app, { client_id: clientId, redirect_uri: LOOPBACK })
  const answer = await ask('PUT', { ...PUBLIC, client_id: clientId, client_name: 'Renamed', redirect_uris: ['https://new.example/cb'] })

  t.equal(answer.statusCode, 200, answer.body)
  t.match(answer.json(), { client_id: clientId, client_name: 'Renamed', redirect_uris: ['https://new.example/cb'] })
  t.notOk('client_uri' in answer.json<object>())
  t.match(events.at(-1), { type: 'client.changed', clientId })
  const exchange = { client_id: clientId, grant_type: 'authorization_code', code, code_verifier: VERIFIER }
  t.match((await post(app, '/token', exchange)).json(), { error: 'invalid_grant' })
  t.equal((await authorize(app, { client_id: clientId, redirect_uri: LOOPBACK })).statusCode, 400)
})

t.test('a change of everything else leaves the codes that are out', async (t) => {
  const { opened: { app }, ask, clientId } = await manage(t)
  const code = await codeFor(app, { client_id: clientId, redirect_uri: LOOPBACK })
  t.equal((await ask('PUT', { ...PUBLIC, client_id: clientId, client_name: 'Renamed' })).statusCode, 200)
  const exchange = { client_id: clientId, grant_type: 'authorization_code', code, code_verifier: VERIFIER }

  t.equal((await post(app, '/token', exchange)).statusCode, 200)
})

t.test('a consent page that was open when the redirect URIs changed grants nothing', async (t) => {
  const { opened: { app }, ask, clientId } = await manage(t)
  const page = await authorize(app, { client_id: clientId, redirect_uri: LOOPBACK })
  await ask('PUT', { ...PUBLIC, client_id: clientId, redirect_uris: ['https://new.example/cb'] })
  const answer = await decide(app, [...ticked(page), ['decision', 'allow']])

  t.equal(answer.statusCode, 400)
  t.equal(answer.headers.location, undefined)
})

t.test('a secret is kept as long as it is needed, and told when the client comes to need one', async (t) => {
  const { opened: { app }, told, ask, clientId } = await manage(t, { token_endpoint_auth_method: 'client_secret_post' })
  const confidential = { ...PUBLIC, client_id: clientId, token_endpoint_auth_method: 'client_secret_post' }
  const secret = String(told.client_secret)
  const isGood = async (one: unknown) =>
    (await post(app, '/revoke', { client_id: clientId, client_secret: String(one), token: 'x' })).statusCode === 200
  t.notOk('client_secret' in (await ask('PUT', { ...confidential, client_secret: secret })).json<object>())
  t.ok(await isGood(secret))

  t.notOk('client_secret' in (await ask('PUT', { ...PUBLIC, client_id: clientId })).json<object>())
  t.notOk(await isGood(secret))
  const next = (await ask('PUT', confidential)).json<Told>()
  t.match(next, { client_secret: /^[\w-]{43}$/, client_secret_expires_at: 0 })
  t.ok(await isGood(next.client_secret))
  t.notOk(await isGood(secret))
})

const words: Readonly<Record<string, (clientId: string) => object>> = {
  'no id': () => PUBLIC,
  'the id of another': () => ({ ...PUBLIC, client_id: 'a'.repeat(22) }),
  'a token of its own': (id) => ({ ...PUBLIC, client_id: id, registration_access_token: 'x' }),
  'an address of its own': (id) => ({ ...PUBLIC, client_id: id, registration_client_uri: 'https://x.example' }),
  'another time of issue': (id) => ({ ...PUBLIC, client_id: id, client_id_issued_at: 1 }),
  'another end of its secret': (id) => ({ ...PUBLIC, client_id: id, client_secret_expires_at: 1 }),
  'a secret of its own': (id) => ({ ...PUBLIC, client_id: id, client_secret: 'x'.repeat(43) }),
  'a secret that is no text': (id) => ({ ...PUBLIC, client_id: id, client_secret: { toString: 'x' } }),
  'a script redirect URI': (id) => ({ ...PUBLIC, client_id: id, redirect_uris: ['javascript:alert(1)'] }),
  'a list': () => []
}

for (const [name, body] of Object.entries(words)) {
  t.test(`a change with ${name} is refused and changes nothing`, async (t) => {
    const { ask, clientId } = await manage(t)
    const before = (await ask('GET')).body
    const answer = await ask('PUT', body(clientId))

    t.equal(answer.statusCode, 400, answer.body)
    t.match(answer.json(), { error: /^invalid_(?:client_metadata|redirect_uri)$/ })
    t.equal((await ask('GET')).body, before)
  })
}

t.test('the host has its word about changes too', async (t) => {
  const { ask, clientId } = await manage(t, {}, {
    allow: ({ metadata, subject }) => subject === null && metadata.client_name === 'Some client'
  })

  t.equal((await ask('PUT', { ...PUBLIC, client_id: clientId })).statusCode, 200)
  t.equal((await ask('PUT', { ...PUBLIC, client_id: clientId, client_name: 'Bank' })).statusCode, 403)
})

t.test('a client that ends takes its grants with it, and its token is worth nothing', async (t) => {
  const { opened: { app, events }, ask, clientId } = await manage(t, { grant_types: ['authorization_code', 'refresh_token'] })
  const code = await codeFor(app, { client_id: clientId, redirect_uri: LOOPBACK })
  const exchange = { client_id: clientId, grant_type: 'authorization_code', code, code_verifier: VERIFIER }
  const { access_token: access } = (await post(app, '/token', exchange)).json<{ access_token: string }>()
  t.ok(access)
  const answer = await ask('DELETE')

  t.equal(answer.statusCode, 204)
  t.equal(answer.body, '')
  t.match(events.at(-1), { type: 'client.removed', clientId })
  t.equal(await app.pkceStore.grants.revokeClient(clientId, app.pkceStore.clock()), 0, 'no grant is left')
  t.equal((await ask('GET')).statusCode, 401)
  t.equal((await ask('DELETE')).statusCode, 401)
})

t.test('a client that the operator switched off manages nothing', async (t) => {
  const { opened: { app }, ask, clientId } = await manage(t)
  await app.mcpClients.disable(clientId)

  t.equal((await ask('GET')).statusCode, 401)
})

for (const end of ['remove', 'disable'] as const) {
  t.test(`a client that the operator ends (${end}) while it is changed stays ended`, async (t) => {
    const { opened: { app }, ask, clientId } = await manage(t, {}, {
      allow: async ({ request }) => request.method === 'POST' || await app.mcpClients[end](clientId)
    })

    t.equal((await ask('PUT', { ...PUBLIC, client_id: clientId })).statusCode, 401)
    t.equal(await app.pkceStore.clients.find(clientId, app.pkceStore.clock()), null)
  })
}

t.test('other methods and scripts of other origins have no business there', async (t) => {
  const { opened: { app }, clientId, ask } = await manage(t)
  for (const method of ['POST', 'PATCH', 'OPTIONS', 'HEAD'] as const) {
    const answer = await app.inject({ method, url: `/register/${clientId}` })
    t.equal(answer.statusCode, 405, method)
    t.equal(answer.headers.allow, 'GET, PUT, DELETE')
  }
  t.equal((await ask('GET')).headers['access-control-allow-origin'], undefined)
})
