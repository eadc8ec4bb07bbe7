import t from 'tap'
import { InvalidTokenError } from '../../lib/tokens/errors.js'
import { readCustomPrincipal } from '../../lib/tokens/custom-principal.js'
import type { VerifiedToken } from '../../types/custom-verifier.js'

const NOW = 1_700_000_000
const rules = { issuer: 'https://accounts.example', resource: 'https://mcp.example/mcp' }
const said: VerifiedToken = {
  subject: 'alice', clientId: 'client-1', audience: rules.resource, scopes: ['notes:read', 'tag:eu']
}

const read = (changes: object = {}, more: object = {}) =>
  readCustomPrincipal(Object.assign({ ...said }, changes), { ...rules, ...more }, { now: NOW, at: 'verify()' })

t.test('the principal is what the host says', async (t) => {
  t.strictSame(read(), {
    subject: 'alice',
    clientId: 'client-1',
    tenant: 'default',
    issuer: rules.issuer,
    resource: rules.resource,
    scopes: ['notes:read', 'tag:eu'],
    tags: ['eu'],
    roles: [],
    grantId: null,
    credential: 'custom-token',
    confirmation: null,
    authenticatedAt: null,
    acr: null,
    amr: [],
    expiresAt: null,
    claims: {}
  })
})

t.test('whatever else it says is there, too', async (t) => {
  const more = {
    expiresAt: NOW + 1,
    roles: ['editor'],
    grantId: 'g',
    confirmation: { jkt: 'x'.repeat(43) },
    authenticatedAt: NOW - 100,
    acr: 'urn:mfa',
    amr: ['pwd', 'otp'],
    claims: { plan: { seats: [1] } }
  }
  t.match(read({ ...more, audience: ['https://other.example', rules.resource] }, { tenant: 'acme' }), { ...more, tenant: 'acme' })
})

t.test('claims that hold themselves, or hold one thing many times, are read once (they come from the host)', async (t) => {
  let many: object = {}
  for (let times = 0; times < 64; times += 1) many = { a: many, b: many }
  const claims: Record<string, unknown> = { many }
  claims.self = claims
  const principal = read({ claims })
  t.equal(principal.claims.self, principal.claims)
  t.ok(Object.isFrozen(principal.claims.many))
})

t.test('the host may confirm that it compared the audience', async (t) => {
  t.equal(read({ audience: true }).resource, rules.resource)
})

t.test('a client that acts for itself is no user of that name (RS-19)', async (t) => {
  t.equal(read({ subject: null }).subject, null)
  t.equal(read({ subject: 'client-1' }).subject, null)
})

const refusals: Record<string, [object, string]> = {
  'for another resource': [{ audience: 'https://mcp.example/other' }, 'wrong audience'],
  'for others': [{ audience: ['https://other.example', `${rules.resource}/x`] }, 'wrong audience'],
  'for nobody': [{ audience: [] }, 'wrong audience'],
  'that ends now': [{ expiresAt: NOW }, 'expired'],
  'bound to something unknown': [{ confirmation: { kid: 'x' } }, 'unknown confirmation']
}

for (const [name, [changes, reason]] of Object.entries(refusals)) {
  t.test(`a token ${name} is refused`, async (t) => {
    t.throws(() => read(changes), new InvalidTokenError(reason))
  })
}

const mistakes: Record<string, [object, RegExp]> = {
  'no subject': [{ subject: undefined }, /^verify\(\)\.subject is required/],
  'an empty subject': [{ subject: '' }, /^verify\(\)\.subject must/],
  'a number as the client': [{ clientId: 7 }, /^verify\(\)\.clientId must/],
  'no audience': [{ audience: undefined }, /^verify\(\)\.audience is required/],
  'an audience that is not confirmed': [{ audience: false }, /^verify\(\)\.audience must/],
  'scopes as one text': [{ scopes: 'notes:read' }, /^verify\(\)\.scopes must/],
  'a scope that is no text': [{ scopes: [null] }, /^verify\(\)\.scopes\.0 must/],
  'an end as text': [{ expiresAt: '1700000900' }, /^verify\(\)\.expiresAt must/],
  'an end in milliseconds': [{ expiresAt: NOW * 1000 }, /^verify\(\)\.expiresAt must/],
  'an end that never comes': [{ expiresAt: Infinity }, /^verify\(\)\.expiresAt must/],
  'an end as a date': [{ expiresAt: new Date(0) }, /^verify\(\)\.expiresAt must/],
  'a misspelt end': [{ expiresat: NOW }, /^verify\(\)\.expiresat is not an option/]
}

for (const [name, [changes, message]] of Object.entries(mistakes)) {
  t.test(`${name} is a mistake of the host's, not a bad token`, async (t) => {
    t.throws(() => read(changes), { code: 'MCPS_ERR_INVALID_OPTION', message })
  })
}

t.test('nothing in the principal can be changed, and what the host keeps stays as it is', async (t) => {
  const kept = { scopes: ['a'], roles: ['b'], amr: ['c'], claims: { deep: { deeper: [1] } } }
  const principal = read(kept)

  const { scopes, tags, roles, amr, claims } = principal
  for (const part of [principal, scopes, tags, roles, amr, claims, claims.deep]) t.ok(Object.isFrozen(part))
  for (const part of [kept.scopes, kept.roles, kept.amr, kept.claims, kept.claims.deep]) t.notOk(Object.isFrozen(part))
})
