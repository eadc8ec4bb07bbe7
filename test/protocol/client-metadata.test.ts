import fc from 'fast-check'
import t from 'tap'
import { readClientMetadata } from '../../lib/protocol/client-metadata.js'
import { DEVICE_GRANT } from '../../lib/protocol/grant-types.js'
import { OAuthError } from '../../lib/protocol/oauth-error.js'

const rules = { schemes: ['cursor'] }
const redirectUris = ['http://localhost:6274/oauth/callback']
const read = (members: object): ReturnType<typeof readClientMetadata> =>
  readClientMetadata({ redirect_uris: redirectUris, ...members }, rules)

t.test('redirect URIs are all that is needed, the rest has the defaults of RFC 7591', async (t) => {
  t.strictSame(readClientMetadata({ redirect_uris: redirectUris }, rules), {
    redirect_uris: redirectUris,
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: ['authorization_code'],
    response_types: ['code']
  })
})

t.test('a whole registration is answered as sent', async (t) => {
  const whole = {
    redirect_uris: ['https://c.example/cb', 'cursor://x/cb'],
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    application_type: 'native',
    client_name: 'Käse 🧀 Client',
    client_uri: 'https://c.example',
    logo_uri: 'https://c.example/logo.png',
    tos_uri: 'https://c.example/tos',
    policy_uri: 'http://localhost:3000/policy',
    scope: 'notes:read notes:write',
    contacts: ['ada@c.example'],
    software_id: 'soft',
    software_version: '1.2.3',
    dpop_bound_access_tokens: true,
    tls_client_certificate_bound_access_tokens: false
  }

  t.strictSame(readClientMetadata(whole, rules), whole)
})

t.test('the registration of MCP Inspector is accepted', async (t) => {
  t.match(read({
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    client_name: 'MCP Inspector',
    client_uri: 'https://github.com/modelcontextprotocol/inspector',
    scope: '',
    application_type: 'native'
  }), { token_endpoint_auth_method: 'none', scope: undefined })
})

t.test('empty and null members are absent', async (t) => {
  const metadata = read({
    client_name: '', client_uri: '', logo_uri: null, scope: '', contacts: [], jwks_uri: '', jwks: null, grant_types: null, application_type: ''
  })

  t.strictSame(Object.keys(metadata), ['redirect_uris', 'token_endpoint_auth_method', 'grant_types', 'response_types'])
})

t.test('unknown members are ignored, whatever they hold', async (t) => {
  const input: unknown = JSON.parse('{"redirect_uris":["https://c.example/cb"],"__proto__":{"client_name":"evil"},"constructor":1,"x":{"y":[]},"client_secret":"mine"}')

  t.strictSame(Object.keys(readClientMetadata(input, rules)),
    ['redirect_uris', 'token_endpoint_auth_method', 'grant_types', 'response_types'])
})

t.test('members that are inherited are not read', async (t) => {
  t.throws(() => readClientMetadata(Object.create({ redirect_uris: redirectUris }), rules), { code: 'invalid_redirect_uri' })
})

t.test('grant and response types that are not offered are left out', async (t) => {
  t.match(read({
    grant_types: ['refresh_token', 'urn:ietf:params:oauth:grant-type:device_code', 'authorization_code'],
    response_types: ['code', 'token']
  }), { grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] })
})

const forDevices = { ...rules, deviceAuthorization: true }

t.test('where devices may ask, their grant can be registered, alone or beside the others', async (t) => {
  const all = ['authorization_code', 'refresh_token', DEVICE_GRANT]
  t.match(readClientMetadata({ redirect_uris: redirectUris, grant_types: [...all, 'x'] }, forDevices), { grant_types: all, response_types: ['code'] })
  const alone = { redirect_uris: [], grant_types: [DEVICE_GRANT], response_types: [] }
  for (const redirects of [{}, { redirect_uris: [] }]) {
    t.match(readClientMetadata({ ...redirects, grant_types: [DEVICE_GRANT] }, forDevices), alone)
  }
})

t.test('only who uses the grant of devices alone needs no redirect URI', async (t) => {
  for (const grantTypes of [undefined, ['authorization_code'], ['authorization_code', DEVICE_GRANT]]) {
    t.throws(() => readClientMetadata({ grant_types: grantTypes }, forDevices), { code: 'invalid_redirect_uri' })
  }
  t.throws(() => readClientMetadata({ grant_types: ['refresh_token'] }, forDevices), { code: 'invalid_client_metadata' })
  t.throws(() => readClientMetadata({ grant_types: [DEVICE_GRANT] }, rules), { code: 'invalid_client_metadata' })
  t.throws(() => readClientMetadata({ redirect_uris: ['https://c.example/#x'], grant_types: [DEVICE_GRANT] }, forDevices), { code: 'invalid_redirect_uri' })
})

t.test('scopes lose their repeats', async (t) => {
  t.equal(read({ scope: 'a b a' }).scope, 'a b')
})

t.test('a client may show by its keys who it is, or by a certificate where they are read', async (t) => {
  const keys = { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://c.example/jwks' }
  const subject = { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'c.example' }

  t.match(read({ ...keys, tls_client_auth_san_dns: 'c.example' }), { ...keys, tls_client_auth_san_dns: undefined })
  t.match(readClientMetadata({ redirect_uris: redirectUris, ...subject }, { ...rules, certificates: true }), subject)
})

const BAD_REDIRECTS: Record<string, unknown> = {
  'no redirect URIs': undefined,
  'an empty list of redirect URIs': [],
  'a redirect URI outside of a list': 'https://c.example/cb',
  'a redirect URI that is a number': [1],
  'an empty redirect URI': [''],
  'a redirect URI that is null': [null],
  'a script among the redirect URIs': ['https://c.example/cb', 'javascript:alert(1)'],
  'plain http': ['http://c.example/cb'],
  'a fragment': ['https://c.example/cb#x'],
  'a scheme that is not listed': ['vscode://x/cb'],
  'a NUL': ['https://c.example/\0'],
  'thirty-three redirect URIs': Array.from({ length: 33 }, (_, index) => `https://c.example/${index}`)
}

for (const [name, uris] of Object.entries(BAD_REDIRECTS)) {
  t.test(`a registration with ${name} is refused as invalid_redirect_uri`, async (t) => {
    t.throws(() => read({ redirect_uris: uris }), { code: 'invalid_redirect_uri', status: 400 })
  })
}

const BAD_METADATA: Record<string, object> = {
  'an unknown authentication method': { token_endpoint_auth_method: 'client_secret_jwt' },
  'a method that needs keys without them': { token_endpoint_auth_method: 'private_key_jwt' },
  'certificates where they mean nothing': { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'c.example' },
  'an authentication method named like a member of Object.prototype': { token_endpoint_auth_method: 'constructor' },
  'an authentication method that is a list': { token_endpoint_auth_method: ['none'] },
  'no code grant': { grant_types: ['refresh_token'] },
  'only the implicit grant': { grant_types: ['implicit'], response_types: ['token'] },
  'an empty list of grant types': { grant_types: [] },
  'grant types that are no list': { grant_types: 'authorization_code' },
  'a grant type that is a number': { grant_types: ['authorization_code', 1] },
  'thirty-three grant types': { grant_types: Array.from({ length: 33 }, () => 'authorization_code') },
  'an empty list of response types': { response_types: [] },
  'the wrong response type for the code grant': { response_types: ['token'] },
  'an unknown application type': { application_type: 'desktop' },
  'a name that is a number': { client_name: 1 },
  'a name of 257 characters': { client_name: 'x'.repeat(257) },
  'a name with a line break': { client_name: 'a\nb' },
  'a name with a NUL': { client_name: 'a\0' },
  'a name with a lone surrogate': { client_name: '\ud800' },
  'a client URI that is a script': { client_uri: 'javascript:alert(1)' },
  'a client URI that is no URL': { client_uri: 'c.example' },
  'a logo by plain http': { logo_uri: 'http://c.example/logo.png' },
  'a logo in the URI itself': { logo_uri: 'data:image/png;base64,x' },
  'terms in a file': { tos_uri: 'file:///etc/passwd' },
  'a policy that is an object': { policy_uri: {} },
  'a scope outside of the grammar': { scope: 'a"b' },
  'a scope that is a list': { scope: ['a'] },
  'ten thousand scopes': { scope: 'a '.repeat(10_000) },
  'eleven contacts': { contacts: Array.from({ length: 11 }, () => 'a@c.example') },
  'contacts that are no list': { contacts: 'a@c.example' },
  'keys both by value and by reference': { jwks: { keys: [] }, jwks_uri: 'https://c.example/jwks' },
  'a software id of 257 characters': { software_id: 'x'.repeat(257) },
  'a software version that is an object': { software_version: {} },
  'a flag that is text': { dpop_bound_access_tokens: 'true' }
}

for (const [name, members] of Object.entries(BAD_METADATA)) {
  t.test(`a registration with ${name} is refused as invalid_client_metadata`, async (t) => {
    t.throws(() => read(members), { code: 'invalid_client_metadata', status: 400 })
  })
}

t.test('what is not a JSON object is refused as invalid_client_metadata', async (t) => {
  for (const input of [undefined, null, 'x', 1, true, [], [{ redirect_uris: redirectUris }]]) {
    t.throws(() => readClientMetadata(input, rules), { code: 'invalid_client_metadata' })
  }
})

t.test('a web application with a loopback redirect is let through unless strict', async (t) => {
  for (const applicationType of ['web', undefined]) {
    for (const uri of ['http://localhost/cb', 'https://localhost/cb', 'cursor://x/cb']) {
      const input = { redirect_uris: ['https://c.example/cb', uri], application_type: applicationType }
      t.doesNotThrow(() => readClientMetadata(input, rules))
      t.throws(() => readClientMetadata(input, { ...rules, strict: true }), { code: 'invalid_redirect_uri' })
    }
  }
})

t.test('a strict server accepts native applications on loopback and web applications by https', async (t) => {
  t.doesNotThrow(() => readClientMetadata({ redirect_uris: redirectUris, application_type: 'native' }, { ...rules, strict: true }))
  t.doesNotThrow(() => readClientMetadata({ redirect_uris: ['https://c.example/cb'] }, { ...rules, strict: true }))
})

const members = fc.record({
  redirect_uris: fc.oneof(fc.constant(redirectUris), fc.array(fc.webUrl()), fc.anything()),
  token_endpoint_auth_method: fc.oneof(fc.constantFrom('none', 'client_secret_post', ''), fc.anything()),
  grant_types: fc.oneof(fc.constant(['authorization_code']), fc.anything()),
  client_name: fc.oneof(fc.string({ unit: 'binary' }), fc.anything()),
  client_uri: fc.oneof(fc.webUrl(), fc.constant(''), fc.anything()),
  scope: fc.oneof(fc.string(), fc.anything()),
  contacts: fc.oneof(fc.array(fc.string()), fc.anything())
}, { requiredKeys: ['redirect_uris'] })

t.test('whatever is registered, the answer holds neither null nor empty members and registers again as itself', async () => {
  fc.assert(fc.property(members, (input) => {
    try {
      const metadata = readClientMetadata(input, rules)
      const empty = Object.values(metadata).some((value) => value === null || value === '' || value === undefined || value.length === 0)
      return !empty && JSON.stringify(readClientMetadata(metadata, rules)) === JSON.stringify(metadata)
    } catch (error) {
      return error instanceof OAuthError
    }
  }), { numRuns: 1000 })
})
