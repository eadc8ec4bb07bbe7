import { createHmac } from 'node:crypto'
import t from 'tap'
import { createSigningKey } from '../../lib/crypto/signing-key.js'
import { StoreUnavailableError } from '../../lib/stores/errors.js'
import { InvalidTokenError } from '../../lib/tokens/errors.js'
import { jwksVerifier } from '../../lib/tokens/jwks-verifier.js'
import type { JwksVerifierOptions } from '../../types/foreign-tokens.js'
import type { Teardown } from '../helpers/build-app.js'
import {
  AUDIENCE, cognito, entra, foreignServer, keycloak, RESOURCE, signAnything, standard, START, type Members, type Shape
} from '../helpers/foreign-server.js'

const options = { issuer: 'https://as.example', jwksUri: 'https://as.example/jwks', resource: RESOURCE }
const COGNITO = { untyped: true, claims: { roles: 'cognito:groups' } }
const KEYCLOAK = { types: ['JWT'], claims: { clientId: 'azp', roles: ['realm_access', 'roles'] } }
const ENTRA = { types: ['JWT'], audience: AUDIENCE, claims: { clientId: 'azp', scopes: 'scp' } }

async function start (t: Teardown, more: Partial<JwksVerifierOptions> = {}, shape: Shape = standard) {
  const server = await foreignServer(t, shape)
  const { issuer, jwksUri } = server
  return { server, verifier: jwksVerifier({ issuer, jwksUri, resource: RESOURCE, ...more }) }
}

t.test('a token of a server that follows RFC 9068 is good without further ado', async (t) => {
  const { server, verifier } = await start(t)

  t.match(await verifier.verify(server.token(), START), {
    subject: 'alice',
    clientId: 'client-1',
    issuer: server.issuer,
    resource: RESOURCE,
    scopes: ['notes:read'],
    roles: [],
    grantId: null,
    credential: 'foreign-token',
    confirmation: null,
    expiresAt: START + 900
  })
})

t.test('a token of Keycloak is good when the options say how Keycloak writes it', async (t) => {
  const { server, verifier } = await start(t, KEYCLOAK, keycloak)

  t.match(await verifier.verify(server.token(), START), {
    subject: 'f:6a2e:alice', clientId: 'client-1', scopes: ['profile', 'notes:read'], roles: ['editor', 'offline_access'], acr: '1'
  })
})

t.test('a token of Entra is good when the options say how Entra writes it', async (t) => {
  const { server, verifier } = await start(t, ENTRA, entra)

  t.match(await verifier.verify(server.token(), START), {
    clientId: 'client-1', resource: RESOURCE, scopes: ['notes:read', 'notes:write'], roles: ['Notes.Admin']
  })
})

t.test('a token of Cognito, which names no type, is good when the options say so', async (t) => {
  const { server, verifier } = await start(t, COGNITO, cognito)

  t.match(await verifier.verify(server.token(), START), {
    clientId: 'client-1', scopes: ['openid', 'notes/notes:read'], roles: ['editors'], authenticatedAt: START - 20
  })
  const strict = await start(t, {}, cognito)
  await t.rejects(strict.verifier.verify(strict.server.token(), START), new InvalidTokenError('wrong type'))
})

for (const [name, claims, header, reason] of [
  ['an ID token', { token_use: 'id' }, {}, 'not an access token'],
  ['one that does not say what it is', { token_use: undefined }, {}, 'not an access token'],
  ['one for nobody', { aud: undefined }, {}, 'no aud'],
  ['one that says JWT', {}, { typ: 'JWT' }, 'wrong type'],
  ['one with an empty type', {}, { typ: '' }, 'malformed typ'],
  ['one with a type of null', {}, { typ: null }, 'malformed typ']
] as const) {
  t.test(`where tokens may name no type, ${name} is refused (RS-15)`, async (t) => {
    const { server, verifier } = await start(t, COGNITO, cognito)

    await t.rejects(verifier.verify(server.token(claims, header), START), new InvalidTokenError(reason))
  })
}

t.test('scopes get the names that clients ask Entra for', async (t) => {
  const { server, verifier } = await start(t, { ...ENTRA, scopePrefix: 'api://notes/' }, entra)

  t.strictSame((await verifier.verify(server.token(), START)).scopes, ['api://notes/notes:read', 'api://notes/notes:write'])
  t.strictSame((await verifier.verify(server.token({ scp: undefined }), START)).scopes, [])
})

t.test('tokens of Keycloak and Entra are refused when nobody says that typ may be JWT', async (t) => {
  for (const shape of [keycloak, entra]) {
    const { server, verifier } = await start(t, { audience: shape === entra ? AUDIENCE : RESOURCE }, shape)

    await t.rejects(verifier.verify(server.token(), START), new InvalidTokenError('wrong type'))
  }
})

const confusions: Record<string, [Members, Members]> = {
  'an ID token of Keycloak': [{ typ: 'ID' }, {}],
  'a refresh token of Keycloak': [{ typ: 'Refresh' }, {}],
  'an ID token by its nonce': [{ typ: undefined, nonce: 'n' }, {}],
  'an ID token by its hash': [{ typ: undefined, at_hash: 'h' }, {}],
  'a DPoP proof': [{}, { typ: 'dpop+jwt' }],
  'a JWT without a type': [{}, { typ: undefined }],
  'a token for the client itself': [{ aud: 'client-1' }, {}],
  'a token of another realm, by the same keys': [{ iss: 'ORIGIN/realms/customers' }, {}]
}

for (const [name, [claims, header]] of Object.entries(confusions)) {
  t.test(`${name} is refused although typ may be JWT`, async (t) => {
    const { server, verifier } = await start(t, KEYCLOAK, keycloak)

    await t.rejects(verifier.verify(server.token(claims, header), START), InvalidTokenError)
  })
}

const refusals: Record<string, [Members, Members, string]> = {
  'typ JWT': [{}, { typ: 'JWT' }, 'wrong type'],
  'another resource': [{ aud: 'https://other.example/mcp' }, {}, 'wrong audience'],
  'no audience': [{ aud: undefined }, {}, 'no aud'],
  'another issuer': [{ iss: 'https://evil.example' }, {}, 'wrong issuer'],
  'the issuer with a slash': [{ iss: 'ORIGIN/' }, {}, 'wrong issuer'],
  'no id': [{ jti: undefined }, {}, 'no jti'],
  'no expiry': [{ exp: undefined }, {}, 'no exp'],
  'an expiry as text': [{ exp: '9999999999' }, {}, 'malformed exp'],
  'an expiry in the past': [{ exp: START }, {}, 'expired'],
  'a key that it is bound to and that is none': [{ cnf: { jkt: 'x' } }, {}, 'unknown confirmation'],
  'an unknown crit': [{}, { crit: ['x'] }, 'unknown crit'],
  'an algorithm outside of the list': [{}, { alg: 'ES384' }, 'wrong algorithm'],
  'a kid that walks the file system': [{}, { kid: '../../../../dev/null' }, 'unknown key'],
  'a kid that asks a database': [{}, { kid: "x' UNION SELECT 'key" }, 'unknown key'],
  'a kid that is a URL': [{}, { kid: 'https://evil.example/jwks' }, 'unknown key'],
  'a kid that every object has': [{}, { kid: '__proto__' }, 'unknown key']
}

for (const [name, [claims, header, reason]] of Object.entries(refusals)) {
  t.test(`a token with ${name} is refused, and not remembered`, async (t) => {
    const { server, verifier } = await start(t)
    const token = server.token(claims, header)

    await t.rejects(verifier.verify(token, START), new InvalidTokenError(reason))
    t.equal(verifier.recall(token, START), undefined)
  })
}

t.test('HS256 with the published key as its secret is refused', async (t) => {
  const { server, verifier } = await start(t, KEYCLOAK, keycloak)
  const [, payload] = server.token().split('.')
  const header = Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'JWT', kid: server.key().kid })).toString('base64url')
  const { publicKey } = server.key()
  const secrets = [publicKey.export({ format: 'pem', type: 'spki' }), JSON.stringify(publicKey.export({ format: 'jwk' }))]

  for (const secret of secrets) {
    const mac = createHmac('sha256', secret).update(`${header}.${payload}`).digest('base64url')
    await t.rejects(verifier.verify(`${header}.${payload}.${mac}`, START), new InvalidTokenError('wrong algorithm'))
  }
})

t.test('keys that a token brings along or points at are neither used nor fetched', async (t) => {
  const { server, verifier } = await start(t)
  const evil = await foreignServer(t)
  const key = await createSigningKey('ES256')
  const jwk = key.publicKey.export({ format: 'jwk' })
  const { jwksUri } = evil
  const signer = { ...key, kid: server.key().kid }

  for (const header of [{ jwk }, { jku: jwksUri }, { x5u: jwksUri }, { jku: jwksUri, kid: evil.key().kid }]) {
    await t.rejects(verifier.verify(server.token({}, header, signer), START), InvalidTokenError)
  }
  t.strictSame(evil.requests, [])
  t.ok(server.requests.every(({ path }) => path === '/jwks'))
})

t.test('a good token is recalled by its exact text for recheck seconds, never past its end', async (t) => {
  const { server, verifier } = await start(t, { recheck: 60 })
  const [token, short] = [server.token(), server.token({ exp: START + 5 })]
  const principal = await verifier.verify(token, START)
  await verifier.verify(short, START)

  t.equal(verifier.recall(token, START + 59), principal)
  t.equal(verifier.recall(token, START + 60), undefined)
  t.equal(verifier.recall(`${token.slice(0, -1)}_`, START), undefined)
  t.ok(verifier.recall(short, START + 4))
  t.equal(verifier.recall(short, START + 5), undefined)
  t.ok(Object.isFrozen(principal) && Object.isFrozen(principal.claims))
})

t.test('with no room nothing is remembered', async (t) => {
  const { server, verifier } = await start(t, { rememberedTokens: 0 })
  const token = server.token()
  await verifier.verify(token, START)

  t.equal(verifier.recall(token, START), undefined)
})

t.test('a key that was withdrawn is out of use when the keys have reached their age', async (t) => {
  const { server, verifier } = await start(t, { keysMaxAge: 60, recheck: 0 })
  const token = server.token()
  await verifier.verify(token, START)
  await server.rotate(false)

  t.ok(await verifier.verify(token, START + 59))
  await t.rejects(verifier.verify(token, START + 60), new InvalidTokenError('unknown key'))
})

t.test('a rotation costs one fetch and refuses nobody', async (t) => {
  const { server, verifier } = await start(t)
  const old = server.token()
  await verifier.verify(old, START)
  await server.rotate()
  const tokens = Array.from({ length: 50 }, (_, index) => server.token({ jti: `id-${index}` }))

  const principals = await Promise.all([old, ...tokens].map(async (token) => await verifier.verify(token, START + 1)))

  t.equal(principals.length, 51)
  t.equal(server.requests.length, 2)
})

t.test('a flood of made-up keys costs the server one fetch in a cooldown', async (t) => {
  const { server, verifier } = await start(t, { keysCooldown: 30 })
  const forge = (index: number) => signAnything({ alg: 'ES256', typ: 'at+jwt', kid: `made up ${index}` }, {}, server.key())

  for (let index = 0; index < 500; index += 1) {
    await t.rejects(verifier.verify(forge(index), START + Math.floor(index / 10)))
  }

  t.equal(server.requests.length, 1 + 2)
  t.ok(await verifier.verify(server.token(), START + 50))
})

t.test('an outage is 503 where no key is known, and not noticed where it is, until the keys are too old', async (t) => {
  const { server, verifier } = await start(t, { keysMaxAge: 60, keysMaxStale: 100, recheck: 0 })
  server.answerWith((_request, response) => { response.writeHead(502).end() })
  await t.rejects(verifier.verify(server.token(), START), StoreUnavailableError)
  server.answerWith(null)
  t.ok(await verifier.verify(server.token(), START + 10))
  server.answerWith((request) => { request.socket.destroy() })

  t.ok(await verifier.verify(server.token(), START + 169))
  await t.rejects(verifier.verify(server.token(), START + 170), StoreUnavailableError)
})

t.test('a forged token during an outage is refused by the known keys, with no fetch', async (t) => {
  const { server, verifier } = await start(t)
  await verifier.verify(server.token(), START)
  server.answerWith((_request, response) => { response.writeHead(500).end() })

  await t.rejects(verifier.verify(`${server.token().slice(0, -10)}AAAAAAAAAA`, START + 1), InvalidTokenError)
  t.equal(server.requests.length, 1)
})

t.test('a server that keeps us waiting is given up in time', { timeout: 4000 }, async (t) => {
  const { server, verifier } = await start(t, { timeoutMs: 100 })
  server.answerWith(() => {})

  await t.rejects(verifier.verify(server.token(), START), StoreUnavailableError)
})

t.test('keys may be had by a fetch of the host', async (t) => {
  const urls: unknown[] = []
  const { server } = await start(t)
  const verifier = jwksVerifier({
    ...options,
    issuer: server.issuer,
    fetch: async (url, init) => {
      urls.push(url)
      return await fetch(server.jwksUri, init)
    }
  })

  t.ok(await verifier.verify(server.token(), START))
  t.strictSame(urls, ['https://as.example/jwks'])
})

for (const [what, wrong, message] of [
  ['no jwksUri', { jwksUri: undefined }, /^jwksVerifier\.jwksUri is required/],
  ['a jwksUri over http', { jwksUri: 'http://as.example/jwks' }, /^jwksVerifier\.jwksUri must be https/],
  ['a shared secret', { algorithms: ['HS256'] }, /^jwksVerifier\.algorithms\.0 must/],
  ['no algorithm', { algorithms: [] }, /^jwksVerifier\.algorithms must/],
  ['the algorithm none', { algorithms: ['RS256', 'none'] }, /^jwksVerifier\.algorithms\.1 must/],
  ['no type', { types: [] }, /^jwksVerifier\.types must/],
  ['a resource that is none', { resource: 'mcp' }, /^jwksVerifier\.resource must/],
  ['an unknown option', { audiences: ['a'] }, /^jwksVerifier\.audiences is not an option/]
] as const) {
  t.test(`${what} stops the boot`, async (t) => {
    t.throws(() => jwksVerifier(Object.assign({ ...options }, wrong)), { code: 'MCPS_ERR_INVALID_OPTION', message })
  })
}

t.test('only the algorithms of the list are taken, whatever keys the server publishes', async (t) => {
  const { server, verifier } = await start(t, { algorithms: ['RS256'] })

  await t.rejects(verifier.verify(server.token(), START), new InvalidTokenError('wrong algorithm'))
  t.strictSame(server.requests, [])
})
