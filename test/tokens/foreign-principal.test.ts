import t from 'tap'
import { InvalidTokenError } from '../../lib/tokens/errors.js'
import { assertAccessToken, foreignTokenRules, readForeignPrincipal } from '../../lib/tokens/foreign-principal.js'
import type { ForeignTokenOptions } from '../../types/foreign-tokens.js'

const NOW = 1_700_000_000
const needed = ['iss', 'exp', 'aud', 'sub', 'iat', 'jti']
const options: ForeignTokenOptions = { issuer: 'https://as.example/', resource: 'https://mcp.example/mcp' }
const claims = {
  iss: options.issuer,
  sub: 'alice',
  aud: options.resource,
  client_id: 'client-1',
  scope: 'notes:read notes:write',
  iat: NOW,
  exp: NOW + 900,
  jti: 'an id'
}

/** `undefined` leaves a claim out, as JSON does. */
const read = (changes: object, more: Partial<ForeignTokenOptions> = {}, wanted = needed) => readForeignPrincipal(
  JSON.parse(JSON.stringify({ ...claims, ...changes })),
  foreignTokenRules({ ...options, ...more }, 'foreign-token'),
  { needed: wanted, now: NOW })

const refusals = {
  'another issuer': [{ iss: 'https://evil.example' }, 'wrong issuer'],
  'the issuer without its slash': [{ iss: 'https://as.example' }, 'wrong issuer'],
  'the issuer in another case': [{ iss: 'https://AS.example/' }, 'wrong issuer'],
  'a list of issuers': [{ iss: [options.issuer] }, 'malformed iss'],
  'no issuer': [{ iss: undefined }, 'no iss'],
  'another audience': [{ aud: 'https://other.example/mcp' }, 'wrong audience'],
  'no audience': [{ aud: undefined }, 'no aud'],
  'its client as the audience': [{ aud: 'client-1' }, 'wrong audience'],
  'no expiry': [{ exp: undefined }, 'no exp'],
  'an expiry as text': [{ exp: '9999999999' }, 'malformed exp'],
  'no expiry but null': [{ exp: null }, 'malformed exp'],
  'an expiry at this very second': [{ exp: NOW }, 'expired'],
  'an expiry in this second': [{ exp: NOW + 0.9 }, 'expired'],
  'no time of issue': [{ iat: undefined }, 'no iat'],
  'a time of issue over a minute ahead': [{ iat: NOW + 61 }, 'issued in the future'],
  'a time of issue as text': [{ iat: '1' }, 'malformed iat'],
  'a nbf over a minute ahead': [{ nbf: NOW + 61 }, 'not good yet'],
  'a nbf as text': [{ nbf: '0' }, 'malformed nbf'],
  'a key that is no thumbprint': [{ cnf: { jkt: 'x' } }, 'unknown confirmation'],
  'a certificate that is no thumbprint': [{ cnf: { 'x5t#S256': 'x' } }, 'unknown confirmation'],
  'a confirmation of no known kind': [{ cnf: null }, 'unknown confirmation'],
  'no subject': [{ sub: undefined }, 'no sub'],
  'an empty subject': [{ sub: '' }, 'malformed sub'],
  'no client': [{ client_id: undefined }, 'no client'],
  'a number as the client': [{ client_id: 7 }, 'malformed client_id'],
  'no id': [{ jti: undefined }, 'no jti'],
  'a scope that is no text': [{ scope: { a: 1 } }, 'malformed scope'],
  'roles that are no texts': [{ roles: [1] }, 'malformed roles'],
  'a time of sign-in as text': [{ auth_time: '1' }, 'malformed auth_time'],
  'an acr that is a number': [{ acr: 1 }, 'malformed acr'],
  'an amr that is an object': [{ amr: {} }, 'malformed amr']
} as const

for (const [name, [changes, reason]] of Object.entries(refusals)) {
  t.test(`a token with ${name} is refused`, async (t) => {
    t.throws(() => read(changes), new InvalidTokenError(reason))
  })
}

t.test('the principal is what the claims say', async (t) => {
  t.strictSame(read({}), {
    subject: 'alice',
    clientId: 'client-1',
    tenant: 'default',
    issuer: options.issuer,
    resource: options.resource,
    scopes: ['notes:read', 'notes:write'],
    tags: [],
    roles: [],
    grantId: null,
    credential: 'foreign-token',
    confirmation: null,
    authenticatedAt: null,
    acr: null,
    amr: [],
    expiresAt: NOW + 900,
    claims
  })
})

t.test('how the user signed in is told when the token says it', async (t) => {
  const said = { acr: 'urn:mfa', amr: ['pwd', 'otp'], roles: ['editor'] }

  t.match(read({ auth_time: NOW - 100, ...said }, { tenant: 'acme' }), { authenticatedAt: NOW - 100, ...said, tenant: 'acme' })
})

t.test('scopes, roles and client are read from where the server puts them, and from nowhere else', async (t) => {
  const where = { clientId: 'azp', scopes: 'scp', roles: ['realm_access', 'roles'] }
  const said = { azp: 'client-2', scp: ['notes:read'], realm_access: { roles: ['editor'] }, roles: ['other'] }

  t.match(read(said, { claims: where }), { clientId: 'client-2', scopes: ['notes:read'], roles: ['editor'] })
})

t.test('what a token is bound to is told', async (t) => {
  const cnf = { jkt: 'x'.repeat(43) }

  t.strictSame(read({ cnf }).confirmation, cnf)
  t.ok(Object.isFrozen(read({ cnf }).confirmation))
})

t.test('a token without a scope has none', async (t) => {
  t.strictSame(read({ scope: undefined }).scopes, [])
})

t.test('a client that acts for itself is no user of that name', async (t) => {
  t.match(read({ sub: 'client-1' }), { subject: null, clientId: 'client-1' })
})

t.test('what stands for the resource is taken for the resource', async (t) => {
  t.equal(read({ aud: 'api://notes' }, { audience: 'api://notes' }).resource, options.resource)
  t.throws(() => read({}, { audience: 'api://notes' }), new InvalidTokenError('wrong audience'))
})

t.test('the tags are those that the scopes name', async (t) => {
  t.strictSame(read({ scope: 'tag:b notes:read tag:a tag:b' }).tags, ['b', 'a'])
})

t.test('nothing in the principal can be changed, however deep', async (t) => {
  const principal = read({ amr: ['pwd'], realm_access: { roles: [] } })

  const { scopes, tags, roles, amr, claims } = principal
  for (const part of [principal, scopes, tags, roles, amr, claims, claims.amr, claims.realm_access]) {
    t.ok(Object.isFrozen(part))
  }
})

t.test('the clock of the other server may be a minute ahead', async (t) => {
  t.equal(read({ iat: NOW + 60, nbf: NOW + 60 }).subject, 'alice')
})

t.test('what is not needed may be left out, but has to be right where it is there', async (t) => {
  const bare = { iss: undefined, sub: undefined, exp: undefined, iat: undefined, jti: undefined }

  t.match(read(bare, {}, ['aud']), { subject: null, issuer: options.issuer, expiresAt: null })
  t.throws(() => read({ ...bare, iss: 'https://evil.example' }, {}, ['aud']), new InvalidTokenError('wrong issuer'))
})

for (const said of [
  { nonce: 'n' }, { at_hash: 'h' }, { c_hash: 'h' }, { s_hash: null }, { typ: 'ID' }, { typ: 'Refresh' },
  { token_use: 'id' }, { token_use: 'refresh_token' }, { token_type: 'DPoP' }, { typ: 'DPoP' }, { typ: 'Bearer', token_type: 'N_A' },
  { typ: 'Offline' }, { typ: 7 }
]) {
  t.test(`claims with ${JSON.stringify(said)} are not those of an access token`, async (t) => {
    t.throws(() => { assertAccessToken(said) }, InvalidTokenError)
  })
}

t.test('claims that say nothing, or that it is an access token, are taken', async (t) => {
  for (const said of [
    {}, { typ: 'Bearer' }, { token_type: 'bearer' }, { token_type: 'DPoP', cnf: { jkt: 'x' } }, { token_use: 'access' }, { token_use: 'access_token', token_type: 'Bearer' },
    { typ: 'Bearer', nonce: 'as older Keycloaks write it' }
  ]) t.doesNotThrow(() => { assertAccessToken(said) })
})
