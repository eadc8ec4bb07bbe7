import t from 'tap'
import { assertAddress, assertForeignOptions, foreignSchemas } from '../../lib/tokens/foreign-options.js'

const schema = foreignSchemas.jwksVerifier
const options = { issuer: 'https://as.example/', resource: 'https://mcp.example/mcp', jwksUri: 'https://as.example/jwks' }
const check = (changes: object) => { assertForeignOptions({ ...options, ...changes }, { schema, at: 'verifier' }) }

const refused: Record<string, [object, RegExp]> = {
  'no issuer': [{ issuer: undefined }, /^verifier\.issuer is required/],
  'an issuer that is no URL': [{ issuer: 'as.example' }, /^verifier\.issuer must be an absolute URL/],
  'an issuer over http': [{ issuer: 'http://as.example' }, /^verifier\.issuer must be https/],
  'an issuer with a query': [{ issuer: 'https://as.example/?a' }, /^verifier\.issuer must have no query/],
  'an issuer with a fragment': [{ issuer: 'https://as.example/#a' }, /^verifier\.issuer must have no fragment/],
  'a resource with a slash at its end': [{ resource: 'https://mcp.example/mcp/' }, /^verifier\.resource must not end/],
  'a resource over http': [{ resource: 'http://mcp.example/mcp' }, /^verifier\.resource must be https/],
  'an empty audience': [{ audience: '' }, /^verifier\.audience must/],
  'a tenant with a blank': [{ tenant: 'a b' }, /^verifier\.tenant must/],
  'a claim of another name': [{ claims: { subject: 'sub' } }, /^verifier\.claims\.subject is not an option/],
  'a prefix of two scopes': [{ scopePrefix: 'a b' }, /^verifier\.scopePrefix must/],
  'a prefix that misleads parsers of challenges': [{ scopePrefix: 'a=' }, /^verifier\.scopePrefix must/],
  'a path without names': [{ claims: { roles: [] } }, /^verifier\.claims\.roles must/],
  'a timeout in seconds': [{ timeoutMs: 5 }, /^verifier\.timeoutMs must/],
  'a fetch that is no function': [{ fetch: 'https://proxy.example' }, /^verifier\.fetch must/],
  'an option that does not exist': [{ audiences: [] }, /^verifier\.audiences is not an option/],
  'a member of the verifier out of its bounds': [{ recheck: 3601 }, /^verifier\.recheck must/]
}

for (const [what, [changes, message]] of Object.entries(refused)) {
  t.test(`${what} stops the boot`, async (t) => {
    t.throws(() => { check(changes) }, { code: 'MCPS_ERR_INVALID_OPTION', message })
  })
}

t.test('the issuer may end with a slash, as some servers write it, and be on loopback', async (t) => {
  for (const issuer of ['https://as.example', 'https://as.example/', 'http://127.0.0.1:8080/realms/a', 'http://[::1]/', 'http://localhost']) {
    t.doesNotThrow(() => { check({ issuer }) })
  }
})

t.test('every option may be given', async (t) => {
  t.doesNotThrow(() => {
    const claims = { clientId: 'azp', scopes: 'scp', roles: ['realm_access', 'roles'] }
    check({ audience: 'api://notes', tenant: 'acme', claims, rememberedTokens: 0, timeoutMs: 100, fetch, recheck: 0 })
  })
})

t.test('the address of an endpoint is https or on loopback, without user and fragment; a query is its own affair', async (t) => {
  for (const [text, message] of [
    ['/jwks', 'jwksUri must be an absolute URL'],
    ['http://as.example/jwks', 'jwksUri must be https, or http on loopback'],
    ['http://127.0.0.1.evil.example/jwks', 'jwksUri must be https, or http on loopback'],
    ['file:///etc/passwd', 'jwksUri must be https, or http on loopback'],
    ['data:application/json,{}', 'jwksUri must be https, or http on loopback'],
    ['https://user@as.example/jwks', 'jwksUri must not hold a user'],
    ['https://:word@as.example/jwks', 'jwksUri must not hold a user'],
    ['https://as.example/jwks#a', 'jwksUri must have no fragment']
  ] as const) t.throws(() => { assertAddress(text, 'jwksUri') }, { code: 'MCPS_ERR_INVALID_OPTION', message })

  t.doesNotThrow(() => { assertAddress('https://as.example/keys?p=policy', 'jwksUri') })
})
