import t from 'tap'
import { sha256 } from '../../lib/crypto/digest.js'
import { StoreUnavailableError } from '../../lib/stores/errors.js'
import { InvalidTokenError, VerifierUnavailableError } from '../../lib/tokens/errors.js'
import { introspectionVerifier } from '../../lib/tokens/introspection-verifier.js'
import type { IntrospectionVerifierOptions } from '../../types/foreign-tokens.js'
import type { Teardown } from '../helpers/build-app.js'
import { foreignServer, RESOURCE, START } from '../helpers/foreign-server.js'

const client = { clientId: 'mcp-server', clientSecret: 'a secret of 32 characters at least' }
const options = {
  ...client, issuer: 'https://as.example', introspectionEndpoint: 'https://as.example/introspect', resource: RESOURCE
}
const token = 'opaque-token.with~all+/characters='

/** A server that answers this about the token, and what else is needed. */
async function start (t: Teardown, changes: object = {}, more: Partial<IntrospectionVerifierOptions> = {}) {
  const server = await foreignServer(t)
  const { issuer, introspectionEndpoint } = server
  const answer = {
    active: true,
    iss: issuer,
    aud: RESOURCE,
    sub: 'alice',
    client_id: 'client-1',
    scope: 'notes:read notes:write',
    token_type: 'Bearer',
    iat: START - 10,
    exp: START + 900,
    ...changes
  }
  server.introspect((asked) => asked === token ? answer : { active: false })
  const verifier = introspectionVerifier({ ...client, issuer, introspectionEndpoint, resource: RESOURCE, ...more })
  return { server, verifier }
}

t.test('a token that the server calls active is good', async (t) => {
  const { server, verifier } = await start(t)

  t.match(await verifier.verify(token, START), {
    subject: 'alice',
    clientId: 'client-1',
    issuer: server.issuer,
    resource: RESOURCE,
    scopes: ['notes:read', 'notes:write'],
    grantId: null,
    credential: 'introspected-token',
    confirmation: null,
    expiresAt: START + 900
  })
})

const refusals: Record<string, [object, string]> = {
  inactive: [{ active: false }, 'not active'],
  'of another issuer': [{ iss: 'https://evil.example' }, 'wrong issuer'],
  'for another resource': [{ aud: ['https://other.example/mcp'] }, 'wrong audience'],
  'for nobody': [{ aud: undefined }, 'no aud'],
  expired: [{ exp: START }, 'expired'],
  'with an end as text': [{ exp: String(START + 900) }, 'malformed exp'],
  'not good yet': [{ nbf: START + 61 }, 'not good yet'],
  'issued in the future': [{ iat: START + 61 }, 'issued in the future'],
  'of no client': [{ client_id: undefined }, 'no client'],
  'with a scope that is no text': [{ scope: { a: 1 } }, 'malformed scope'],
  'bound to what is no thumbprint': [{ cnf: { jkt: 'x' } }, 'unknown confirmation'],
  'bound in a way that we do not know': [{ cnf: { kid: 'x' } }, 'unknown confirmation'],
  'of the type DPoP and bound to no key': [{ token_type: 'DPoP' }, 'not bound to a key'],
  'a refresh token': [{ token_use: 'refresh_token' }, 'not an access token'],
  'a refresh token of Keycloak': [{ typ: 'Refresh', token_type: undefined }, 'not an access token']
}

for (const [name, [changes, reason]] of Object.entries(refusals)) {
  t.test(`a token that is ${name} is refused, and not remembered`, async (t) => {
    const { server, verifier } = await start(t, changes)

    for (let times = 0; times < 2; times += 1) {
      await t.rejects(verifier.verify(token, START), new InvalidTokenError(reason))
      t.equal(verifier.recall(token, START), undefined)
    }
    t.equal(server.requests.length, 2)
  })
}

for (const [name, answer] of Object.entries({
  'active as text': { active: 'true' },
  'active as a number': { active: 1 },
  'no active': { aud: RESOURCE },
  'active null': { active: null },
  'a list': [{ active: true }],
  'a text': 'active',
  nothing: null
})) {
  t.test(`an answer with ${name} is none: 503, not 401 and not a pass`, async (t) => {
    const { server, verifier } = await start(t)
    server.introspect(() => answer)

    await t.rejects(verifier.verify(token, START), StoreUnavailableError)
    t.equal(verifier.recall(token, START), undefined)
  })
}

t.test('a server that fails, refuses us, sends a page or is silent is 503', async (t) => {
  const { server, verifier } = await start(t, {}, { timeoutMs: 100 })
  for (const status of [500, 401, 403, 404, 302, 429]) {
    server.answerWith((_request, response) => { response.writeHead(status, { location: '/introspect' }).end('{"active":true}') })
    await t.rejects(verifier.verify(token, START), StoreUnavailableError, String(status))
  }
  server.answerWith((_request, response) => { response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Sign in') })
  await t.rejects(verifier.verify(token, START), StoreUnavailableError)
  server.answerWith(() => {})
  await t.rejects(verifier.verify(token, START), StoreUnavailableError)

  server.answerWith(null)
  t.ok(await verifier.verify(token, START))
})

t.test('no error holds the token or the secret', async (t) => {
  const { server, verifier } = await start(t)
  for (const body of [token, client.clientSecret, '{']) {
    server.answerWith((_request, response) => { response.writeHead(200, { 'content-type': 'application/json' }).end(`<${body}`) })
    const error = await verifier.verify(token, START).catch((error: unknown) => error)

    t.ok(error instanceof StoreUnavailableError)
    const text = [error, error instanceof Error ? error.cause : null].map((one) => `${String(one)} ${JSON.stringify(one)}`).join()
    t.notOk(text.includes(token) || text.includes(client.clientSecret))
  }
})

/** A server that signs its answers, and what it signs. */
async function startSigned (t: Teardown, more: Partial<IntrospectionVerifierOptions> = {}) {
  const server = await foreignServer(t)
  const { issuer, introspectionEndpoint, jwksUri } = server
  const answer = { active: true, aud: RESOURCE, client_id: 'client-1', sub: 'alice', scope: 'notes:read', exp: START + 900 }
  const signed = (about: object) => server.token({
    aud: client.clientId, iat: START, token_introspection: { ...answer, ...about }, exp: undefined, sub: undefined
  }, { typ: 'token-introspection+jwt' })
  server.introspect(() => signed({}), 'application/token-introspection+jwt; charset=utf-8')
  const signedAnswers = { jwksUri }
  const verifier = introspectionVerifier({
    ...client, issuer, introspectionEndpoint, resource: RESOURCE, signedAnswers, ...more
  })
  return { server, verifier, signed, answer }
}

t.test('a signed answer is asked for, and good when the server signed it (RFC 9701)', async (t) => {
  const { server, verifier } = await startSigned(t)

  t.match(await verifier.verify(token, START), { subject: 'alice', scopes: ['notes:read'], expiresAt: START + 900 })
  t.match(server.requests, [{ path: '/introspect', headers: { accept: 'application/token-introspection+jwt' } }, { path: '/jwks' }])
})

t.test('what a signed answer says is checked like any other', async (t) => {
  const { server, verifier, signed } = await startSigned(t)
  for (const [about, reason] of [[{ active: false }, 'not active'], [{ aud: 'https://other.example' }, 'wrong audience']] as const) {
    server.introspect(() => signed(about), 'application/token-introspection+jwt')
    await t.rejects(verifier.verify(token, START), new InvalidTokenError(reason))
  }
})

t.test('an unsigned answer is none where signed ones are wanted: 503', async (t) => {
  const { server, verifier, signed, answer } = await startSigned(t)
  const others: readonly (readonly [unknown, string | undefined])[] = [
    [answer, undefined],
    [signed({}), 'application/jwt'],
    [JSON.stringify(answer), 'application/token-introspection+jwt'],
    [signed({}), 'application/token-introspection+jwtx']
  ]
  for (const [body, type] of others) {
    server.introspect(() => body, type)
    await t.rejects(verifier.verify(token, START), StoreUnavailableError, String(type))
    t.equal(verifier.recall(token, START), undefined)
  }
})

t.test('the key of signed answers may be rotated, and an algorithm that is not wanted is none', async (t) => {
  const { server, verifier } = await startSigned(t, { recheck: 0 })
  for (let times = 0; times < 3; times += 1) {
    t.ok(await verifier.verify(token, START + times * 10))
    await server.rotate()
  }
  const picky = await startSigned(t, { signedAnswers: { jwksUri: server.jwksUri, algorithms: ['RS256'] } })
  await t.rejects(picky.verifier.verify(token, START), StoreUnavailableError)
})

t.test('the token is asked about in a form, by a client that authenticates', async (t) => {
  const { server, verifier } = await start(t)
  await verifier.verify(token, START)

  const [request] = server.requests
  t.match(request, { path: '/introspect', headers: { authorization: /^Basic /, accept: 'application/json' } })
  t.strictSame(Object.fromEntries(new URLSearchParams(request?.body)), { token, token_type_hint: 'access_token' })
})

t.test('the client may authenticate in the form', async (t) => {
  const { server, verifier } = await start(t, {}, { clientAuthentication: 'client_secret_post' })
  await verifier.verify(token, START)

  t.match(Object.fromEntries(new URLSearchParams(server.requests[0]?.body)), { client_id: 'mcp-server', client_secret: client.clientSecret })
  t.equal(server.requests[0]?.headers.authorization, undefined)
})

t.test('a good answer holds for recheck seconds, then the server is asked again', async (t) => {
  const { server, verifier } = await start(t)
  const principal = await verifier.verify(token, START)

  t.equal(verifier.recall(token, START + 9), principal)
  t.equal(verifier.recall(`${token}=`, START), undefined)
  t.equal(verifier.recall(token, START + 10), undefined)
  server.introspect(() => ({ active: false }))
  await t.rejects(verifier.verify(token, START + 10), new InvalidTokenError('not active'))
})

t.test('a good answer never holds past the end of the token, and without one for recheck seconds', async (t) => {
  const { verifier } = await start(t, { exp: START + 3 })
  const endless = await start(t, { exp: undefined })
  await verifier.verify(token, START)
  t.match(await endless.verifier.verify(token, START), { expiresAt: null })

  t.ok(verifier.recall(token, START + 2))
  t.equal(verifier.recall(token, START + 3), undefined)
  t.ok(endless.verifier.recall(token, START + 9))
  t.equal(endless.verifier.recall(token, START + 10), undefined)
})

t.test('without recheck seconds, or without room, the server is asked every time', async (t) => {
  for (const more of [{ recheck: 0 }, { rememberedTokens: 0 }]) {
    const { verifier } = await start(t, {}, more)
    await verifier.verify(token, START)

    t.equal(verifier.recall(token, START), undefined)
  }
})

t.test('what is remembered goes by the digest: neither the token nor one like it is looked for by its text', async (t) => {
  const { verifier } = await start(t)
  await verifier.verify(token, START)

  t.equal(verifier.recall(sha256(token), START), undefined)
})

t.test('a token that fifty requests bring at once is asked about once', async (t) => {
  const { server, verifier } = await start(t)

  const principals = await Promise.all(Array.from({ length: 50 }, async () => await verifier.verify(token, START)))

  t.equal(new Set(principals).size, 1)
  t.equal(server.requests.length, 1)
})

t.test('a failure that fifty requests wait for is told to all of them, and over after it', async (t) => {
  const { server, verifier } = await start(t)
  server.answerWith((_request, response) => { response.writeHead(500).end() })

  const outcomes = await Promise.allSettled(Array.from({ length: 50 }, async () => await verifier.verify(token, START)))

  t.ok(outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason instanceof StoreUnavailableError))
  server.answerWith(null)
  t.ok(await verifier.verify(token, START))
})

t.test('a flood of tokens asks no more than maxConcurrent questions at a time', async (t) => {
  const { server, verifier } = await start(t, {}, { maxConcurrent: 3 })

  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, async (_, index) => await verifier.verify(`t${index}`, START)))

  t.equal(server.requests.length, 3)
  const reasons = outcomes.map((outcome) => outcome.status === 'rejected' ? outcome.reason : null)
  t.equal(reasons.filter((reason) => reason instanceof InvalidTokenError).length, 3)
  t.equal(reasons.filter((reason) => reason instanceof VerifierUnavailableError && reason.reason === 'too many introspections').length, 17)
  t.ok(await verifier.verify(token, START))
})

for (const [what, wrong, message] of [
  ['no endpoint', { introspectionEndpoint: undefined }, /^introspectionVerifier\.introspectionEndpoint is required/],
  ['an endpoint over http', { introspectionEndpoint: 'http://as.example' }, /^introspectionVerifier\.introspectionEndpoint must be https/],
  ['no secret', { clientSecret: '' }, /^introspectionVerifier\.clientSecret must/],
  ['a public client', { clientAuthentication: 'none' }, /^introspectionVerifier\.clientAuthentication must/],
  ['an answer that holds for an hour', { recheck: 3600 }, /^introspectionVerifier\.recheck must/],
  ['keys over http', { signedAnswers: { jwksUri: 'http://as.example' } }, /^introspectionVerifier\.signedAnswers\.jwksUri must be https/],
  ['signed answers without keys', { signedAnswers: {} }, /^introspectionVerifier\.signedAnswers\.jwksUri is required/],
  ['signed answers by a shared secret', { signedAnswers: { jwksUri: 'https://as.example', algorithms: ['HS256'] } }, /^introspectionVerifier\.signedAnswers\.algorithms/],
  ['an unknown option', { algorithms: ['RS256'] }, /^introspectionVerifier\.algorithms is not an option/]
] as const) {
  t.test(`${what} stops the boot`, async (t) => {
    t.throws(() => introspectionVerifier(Object.assign({ ...options }, wrong)), { code: 'MCPS_ERR_INVALID_OPTION', message })
  })
}

t.test('the endpoint may be reached by a fetch of the host', async (t) => {
  const { server } = await start(t)
  const verifier = introspectionVerifier({
    ...options, issuer: server.issuer, fetch: async (_url, init) => await fetch(server.introspectionEndpoint, init)
  })

  t.ok(await verifier.verify(token, START))
})
