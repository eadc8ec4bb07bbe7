import t from 'tap'
import { InvalidTokenError } from '../../lib/tokens/errors.js'
import { readOwnPrincipal } from '../../lib/tokens/own-principal.js'

const NOW = 1_700_000_000
const rules = { issuer: 'https://as.example', resource: 'https://mcp.example/mcp', tenant: 'default' }
const claims = {
  iss: rules.issuer,
  sub: 'alice',
  aud: rules.resource,
  client_id: 'a client',
  scope: 'notes:read notes:write',
  iat: NOW,
  exp: NOW + 900,
  jti: 'an id',
  auth_time: NOW - 100,
  grant_id: 'a grant'
}
const read = (changes: object, resource = rules.resource) =>
  readOwnPrincipal(JSON.stringify({ ...claims, ...changes }), { ...rules, resource }, NOW)

const refusals = {
  'another issuer': [{ iss: 'https://evil.example' }, 'wrong issuer'],
  'an issuer with a slash': [{ iss: 'https://as.example/' }, 'wrong issuer'],
  'no issuer': [{ iss: undefined }, 'wrong issuer'],
  'another audience': [{ aud: 'https://other.example/mcp' }, 'wrong audience'],
  'no audience': [{ aud: undefined }, 'wrong audience'],
  'an empty list of audiences': [{ aud: [] }, 'wrong audience'],
  'an audience that is not text': [{ aud: [7, null] }, 'wrong audience'],
  'the origin as the audience': [{ aud: 'https://mcp.example' }, 'wrong audience'],
  'a path below the resource as the audience': [{ aud: 'https://mcp.example/mcp/x' }, 'wrong audience'],
  'no expiry': [{ exp: undefined }, 'no exp'],
  'an expiry as text': [{ exp: '9999999999' }, 'no exp'],
  'an expiry at this very second': [{ exp: NOW }, 'expired'],
  'no time of issue': [{ iat: undefined }, 'no iat'],
  'a time of issue over a minute ahead': [{ iat: NOW + 61 }, 'issued in the future'],
  'a nbf over a minute ahead': [{ nbf: NOW + 61 }, 'not good yet'],
  'a nbf as text': [{ nbf: '0' }, 'no nbf'],
  'a confirmation of no known kind': [{ cnf: { jkt: 'x' } }, 'unknown confirmation'],
  'no subject': [{ sub: undefined }, 'no sub'],
  'an empty subject': [{ sub: '' }, 'no sub'],
  'no client': [{ client_id: undefined }, 'no client_id'],
  'no id': [{ jti: undefined }, 'no jti'],
  'no grant': [{ grant_id: undefined }, 'no grant_id'],
  'no scope': [{ scope: undefined }, 'no scope'],
  'a time of sign-in as text': [{ auth_time: '1' }, 'no auth_time'],
  'an unknown kind of subject': [{ sub_type: 'user' }, 'unknown subject'],
  'the mark of a client and the name of a user': [{ sub_type: 'client' }, 'unknown subject']
} as const

for (const [name, [changes, reason]] of Object.entries(refusals)) {
  t.test(`a token with ${name} is refused`, async (t) => {
    t.throws(() => read(changes), new InvalidTokenError(reason))
  })
}

t.test('an expiry that never comes is none, although JSON can spell it', async (t) => {
  const payload = JSON.stringify(claims).replace(/"exp":\d+/, '"exp":1e999')

  t.throws(() => readOwnPrincipal(payload, rules, NOW), new InvalidTokenError('no exp'))
})

t.test('the principal is what the claims say', async (t) => {
  t.strictSame(read({}), {
    subject: 'alice',
    clientId: 'a client',
    tenant: 'default',
    issuer: rules.issuer,
    resource: rules.resource,
    scopes: ['notes:read', 'notes:write'],
    tags: [],
    roles: [],
    grantId: 'a grant',
    credential: 'access-token',
    confirmation: null,
    authenticatedAt: NOW - 100,
    acr: null,
    amr: [],
    expiresAt: NOW + 900,
    claims
  })
})

t.test('a token that is the client\'s own has no subject', async (t) => {
  t.equal(read({ sub: 'a client', sub_type: 'client', auth_time: undefined }).subject, null)
})

t.test('a user of the same name as the client is a user', async (t) => {
  t.equal(read({ sub: 'a client' }).subject, 'a client')
})

t.test('nobody has signed in where the token names no time of it', async (t) => {
  t.equal(read({ auth_time: undefined }).authenticatedAt, null)
})

t.test('what a token is bound to is told', async (t) => {
  const cnf = { jkt: 'x'.repeat(43) }

  t.strictSame(read({ cnf }).confirmation, cnf)
})

t.test('acr and amr are told when the token has them', async (t) => {
  t.match(read({ acr: 'urn:mfa', amr: ['pwd', 'otp'] }), { acr: 'urn:mfa', amr: ['pwd', 'otp'] })
})

t.test('the tags are those that the scopes name', async (t) => {
  t.strictSame(read({ scope: 'tag:b notes:read tag:a tag:b' }).tags, ['b', 'a'])
})

t.test('nothing in the principal can be changed, however deep', async (t) => {
  const principal = read({ amr: ['pwd'] })

  const { scopes, tags, roles, amr, claims } = principal
  for (const part of [principal, scopes, tags, roles, amr, claims, claims.amr]) t.ok(Object.isFrozen(part))
})

t.test('the audience may be spelled as RFC 3986 allows, or stand in a list', async (t) => {
  t.equal(read({ aud: 'HTTPS://MCP.example:443/mcp' }).resource, rules.resource)
  t.equal(read({ aud: ['https://other.example', rules.resource] }).resource, rules.resource)
  t.equal(read({ aud: 'https://mcp.example/' }, 'https://mcp.example').resource, 'https://mcp.example')
})

t.test('clocks of two instances may be a minute apart', async (t) => {
  t.equal(read({ iat: NOW + 60, nbf: NOW + 60 }).subject, 'alice')
})
