import t from 'tap'
import {
  readAuthorizationRequest, readAuthorizationTarget, resolveRedirectUri, stateOf, type AuthorizationContext
} from '../../lib/protocol/authorization-request.js'
import { readForm, type Form } from '../../lib/protocol/form.js'
import { buildScopeModel } from '../../lib/protocol/scopes.js'

const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

const notes = {
  resource: 'https://h.example/mcp',
  model: buildScopeModel({ 'notes:read': 'Read', 'notes:write': { title: 'Write', implies: ['notes:read'] } }),
  defaultScopes: ['notes:read']
}
const bills = {
  resource: 'https://bills.example/mcp',
  model: buildScopeModel({ 'bills:pay': 'Pay', 'notes:read': 'Read' }),
  defaultScopes: ['bills:pay', 'notes:read']
}
const context: AuthorizationContext = { resources: [notes], missingResource: true }
const both: AuthorizationContext = { resources: [notes, bills], missingResource: true }

const GOOD: Record<string, string> = {
  response_type: 'code',
  client_id: 'client',
  redirect_uri: 'https://c.example/cb',
  code_challenge: CHALLENGE,
  code_challenge_method: 'S256',
  resource: 'https://h.example/mcp',
  scope: 'notes:write',
  state: 'st4te'
}

/** A good request but for `changes`; `undefined` leaves a parameter out. */
function requestWith (changes: Record<string, string | undefined> = {}, more = ''): Form {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries({ ...GOOD, ...changes })) {
    if (value !== undefined) params.set(name, value)
  }
  return readForm(params.toString() + more)
}

t.test('the target is the client and the redirect URI', async (t) => {
  t.strictSame(readAuthorizationTarget(requestWith()), { clientId: 'client', redirectUri: 'https://c.example/cb' })
  t.strictSame(readAuthorizationTarget(requestWith({ redirect_uri: undefined })), { clientId: 'client', redirectUri: undefined })
})

const BAD_TARGETS: Record<string, Form> = {
  'no client': requestWith({ client_id: undefined }),
  'an empty client': requestWith({ client_id: '' }),
  'a client of 2049 characters': requestWith({ client_id: 'x'.repeat(2049) }),
  'two clients': requestWith({}, '&client_id=other'),
  'two redirect URIs': requestWith({}, '&redirect_uri=https://evil.example'),
  'the same redirect URI twice': requestWith({}, '&redirect_uri=https://c.example/cb')
}

for (const [name, form] of Object.entries(BAD_TARGETS)) {
  t.test(`a target with ${name} is refused before anything is known to redirect to`, async (t) => {
    t.throws(() => readAuthorizationTarget(form), { code: 'invalid_request' })
  })
}

t.test('the requested redirect URI is answered as it was sent, with the port of the moment', async (t) => {
  const registered = ['https://c.example/cb', 'http://localhost:1/cb']
  const resolve = (requested: string, localhostAnyPort = true): string =>
    resolveRedirectUri({ requested, registered, localhostAnyPort })

  t.equal(resolve('https://c.example/cb'), 'https://c.example/cb')
  t.equal(resolve('http://localhost:54321/cb'), 'http://localhost:54321/cb')
  t.throws(() => resolve('http://localhost:54321/cb', false), { code: 'invalid_request' })
  t.throws(() => resolve('https://evil.example/cb'), { code: 'invalid_request' })
})

t.test('a redirect URI may be left out only when exactly one is registered', async (t) => {
  const resolve = (...registered: string[]): string =>
    resolveRedirectUri({ requested: undefined, registered, localhostAnyPort: true })

  t.equal(resolve('https://c.example/cb'), 'https://c.example/cb')
  t.throws(() => resolve('https://c.example/cb', 'https://c.example/2'), { code: 'invalid_request' })
  t.throws(() => resolve(), { code: 'invalid_request' })
})

t.test('a good request is read whole', async (t) => {
  t.strictSame(readAuthorizationRequest(requestWith(), context), {
    scopes: ['notes:write'],
    resource: 'https://h.example/mcp',
    furtherResources: [],
    state: 'st4te',
    codeChallenge: CHALLENGE,
    codeKey: undefined,
    authorizationDetails: undefined,
    leniencies: []
  })
})

const REFUSED: Record<string, [string, Form]> = {
  'a request object': ['request_not_supported', requestWith({ request: 'eyJ' })],
  'a request_uri, which is never fetched': ['request_uri_not_supported', requestWith({ request_uri: 'https://evil.example/r' })],
  'no response_type': ['invalid_request', requestWith({ response_type: undefined })],
  'response_type token': ['unsupported_response_type', requestWith({ response_type: 'token' })],
  'a response_type with more than code': ['unsupported_response_type', requestWith({ response_type: 'code id_token' })],
  'response_mode fragment': ['invalid_request', requestWith({ response_mode: 'fragment' })],
  'response_mode form_post': ['invalid_request', requestWith({ response_mode: 'form_post' })],
  'no challenge': ['invalid_request', requestWith({ code_challenge: undefined })],
  'no challenge method': ['invalid_request', requestWith({ code_challenge_method: undefined })],
  'challenge method plain': ['invalid_request', requestWith({ code_challenge_method: 'plain' })],
  'two challenges': ['invalid_request', requestWith({}, `&code_challenge=${CHALLENGE}`)],
  'two states': ['invalid_request', requestWith({}, '&state=x')],
  'two scopes': ['invalid_request', requestWith({}, '&scope=x')],
  'an unknown parameter twice': ['invalid_request', requestWith({}, '&foo=1&foo=2')],
  'another resource': ['invalid_target', requestWith({ resource: 'https://evil.example/' })],
  'a resource that ours begins with': ['invalid_target', requestWith({ resource: 'https://h.example' })],
  'a resource with a fragment': ['invalid_target', requestWith({ resource: 'https://h.example/mcp#x' })],
  'our resource and another one': ['invalid_target', requestWith({}, '&resource=https://evil.example/')],
  'a scope outside of the grammar': ['invalid_scope', requestWith({ scope: 'a"b' })],
  'ten thousand scopes': ['invalid_scope', requestWith({ scope: 'abc '.repeat(10_000) })],
  'prompt none and another one': ['invalid_request', requestWith({ prompt: 'none login' })],
  'a state of 4097 characters': ['invalid_request', requestWith({ state: 'x'.repeat(4097) })],
  'a dpop_jkt that is no thumbprint': ['invalid_request', requestWith({ dpop_jkt: 'k'.repeat(42) })]
}

for (const [name, [code, form]] of Object.entries(REFUSED)) {
  t.test(`an authorization request with ${name} is refused as ${code}`, async (t) => {
    t.throws(() => readAuthorizationRequest(form, context), { code })
  })
}

t.test('the key that a code is to be bound to is read (RFC 9449 §10)', async (t) => {
  t.equal(readAuthorizationRequest(requestWith({ dpop_jkt: 'k'.repeat(43) }), context).codeKey, 'k'.repeat(43))
})

t.test('authorization details are read where their type is known, and mean nothing where none is', async (t) => {
  const form = requestWith({ authorization_details: '[{"type":"payment"}]' })
  const knowing = (known: string) => ({ ...context, isKnownDetail: ({ type }: { type: string }) => type === known })

  t.strictSame(readAuthorizationRequest(form, knowing('payment')).authorizationDetails, [{ type: 'payment' }])
  t.throws(() => readAuthorizationRequest(form, knowing('other')), { code: 'invalid_authorization_details' })
  t.equal(readAuthorizationRequest(form, context).authorizationDetails, undefined)
})

t.test('unknown scopes are dropped as long as a known one remains', async (t) => {
  const form = requestWith({ scope: 'openid notes:read offline_access notes:read' })

  t.strictSame(readAuthorizationRequest(form, context).scopes, ['notes:read'])
})

t.test('a request that asks for nothing that we know means the default scopes', async (t) => {
  for (const scope of [undefined, '', 'openid email profile']) {
    t.strictSame(readAuthorizationRequest(requestWith({ scope }), context).scopes, ['notes:read'])
  }
})

t.test('a request that asks for nothing that we know is refused where there is no default', async (t) => {
  for (const scope of [undefined, 'openid email profile']) {
    t.throws(() => readAuthorizationRequest(requestWith({ scope }), { ...context, resources: [{ ...notes, defaultScopes: [] }] }), { code: 'invalid_scope' })
  }
})

t.test('the default scopes are answered as a copy', async (t) => {
  const { scopes } = readAuthorizationRequest(requestWith({ scope: undefined }), context)

  t.strictSame(scopes, notes.defaultScopes)
  t.not(scopes, notes.defaultScopes)
})

t.test('a request without resource means ours, and the leniency is named', async (t) => {
  for (const resource of [undefined, '']) {
    t.match(readAuthorizationRequest(requestWith({ resource }), context),
      { resource: 'https://h.example/mcp', leniencies: ['missingResource'] })
  }
})

t.test('without the leniency a request without resource is invalid_target', async (t) => {
  t.throws(() => readAuthorizationRequest(requestWith({ resource: undefined }), { ...context, missingResource: false }),
    { code: 'invalid_target' })
})

t.test('a resource in another spelling becomes the configured one', async (t) => {
  const form = requestWith({ resource: 'HTTPS://H.example:443/mcp' }, '&resource=https://h.example/mcp')

  t.equal(readAuthorizationRequest(form, context).resource, 'https://h.example/mcp')
})

t.test('of several resources a request gets the one that it names, with the scopes of that one', async (t) => {
  const form = requestWith({ resource: 'https://BILLS.example/mcp', scope: 'notes:write bills:pay' })

  t.match(readAuthorizationRequest(form, both), { resource: 'https://bills.example/mcp', furtherResources: [], scopes: ['bills:pay'] })
})

t.test('several resources are one request for the scopes of them all', async (t) => {
  const form = requestWith({ scope: undefined }, '&resource=https://bills.example/mcp&resource=https://h.example/mcp')

  t.match(readAuthorizationRequest(form, both), {
    resource: 'https://h.example/mcp',
    furtherResources: ['https://bills.example/mcp'],
    scopes: ['notes:read', 'bills:pay'],
    leniencies: []
  })
})

t.test('one resource that is not served among several is invalid_target', async (t) => {
  t.throws(() => readAuthorizationRequest(requestWith({}, '&resource=https://evil.example/'), both), { code: 'invalid_target' })
})

t.test('response_mode query is what happens anyway', async (t) => {
  t.doesNotThrow(() => readAuthorizationRequest(requestWith({ response_mode: 'query' }), context))
})

t.test('neither state nor unknown parameters are needed or minded', async (t) => {
  t.equal(readAuthorizationRequest(requestWith({ state: undefined, nonce: 'n', display: 'popup' }), context).state, undefined)
})

t.test('no prompt but none beside another one is minded', async (t) => {
  for (const prompt of ['', 'consent', 'none', 'none create', 'login consent create login']) {
    t.doesNotThrow(() => readAuthorizationRequest(requestWith({ prompt }), context))
  }
})

t.test('the state for an error is the only one that was sent, in every byte', async (t) => {
  t.equal(stateOf(requestWith({ state: 'a b+c&d=é%00'.replace('%00', '') })), 'a b+c&d=é')
  t.equal(stateOf(requestWith({ state: undefined })), undefined)
  t.equal(stateOf(requestWith({ state: '' })), undefined)
  t.equal(stateOf(requestWith({}, '&state=other')), undefined)
})
