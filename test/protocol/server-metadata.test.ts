import { OAuthMetadataSchema } from '@modelcontextprotocol/sdk/shared/auth.js'
import t from 'tap'
import { DEVICE_GRANT } from '../../lib/protocol/grant-types.js'
import { buildServerMetadata, endpointsOf, type ServerMetadataInput } from '../../lib/protocol/server-metadata.js'

type Changes = Pick<Partial<ServerMetadataInput>, 'sender' | 'certificateOrigin' | 'grantProfiles' | 'detailTypes'> & { grantTypes?: readonly string[], issuer?: string, scopes?: string[], registration?: boolean, clientDocuments?: boolean, pushedRequests?: 'off' | 'optional' | 'required' }

function build (changes: Changes = {}): ReturnType<typeof buildServerMetadata> {
  const issuer = changes.issuer ?? 'https://h.example'
  return buildServerMetadata({
    issuer,
    scopes: ['mcp:read'],
    grantTypes: ['authorization_code', 'refresh_token'],
    registration: true,
    signingAlgorithm: 'ES256',
    endpoints: endpointsOf(issuer),
    ...changes
  })
}

const METHODS = ['none', 'client_secret_post', 'client_secret_basic', 'private_key_jwt']

t.test('certificates are advertised only where they are read', async (t) => {
  const methods = [...METHODS, 'tls_client_auth', 'self_signed_tls_client_auth']

  const issuer = 'https://h.example'
  const sender = { dpopAlgorithms: [], certificates: true }
  const metadata = buildServerMetadata({
    issuer, scopes: [], grantTypes: [], registration: false, endpoints: endpointsOf(issuer), sender, signingAlgorithm: 'ES256'
  })
  t.same(metadata.token_endpoint_auth_methods_supported, methods)
  t.same(metadata.revocation_endpoint_auth_methods_supported, methods)
  t.same(build().token_endpoint_auth_methods_supported, METHODS)
})

t.test('another origin for certificates is named with the endpoints for clients (RFC 8705 §5)', async (t) => {
  const certificateOrigin = 'https://mtls.h.example'
  const aliases = { token_endpoint: 'https://mtls.h.example/t1/token' }

  t.match(build({ issuer: 'https://h.example/t1', certificateOrigin }).mtls_endpoint_aliases, aliases)
  t.strictSame(Object.keys(build({ certificateOrigin }).mtls_endpoint_aliases ?? {}),
    ['token_endpoint', 'revocation_endpoint', 'introspection_endpoint'])
  const whole = { certificateOrigin, pushedRequests: 'optional', grantTypes: [DEVICE_GRANT] } as const
  t.equal(Object.keys(build(whole).mtls_endpoint_aliases ?? {}).length, 5)
})

t.test('the document names what is switched on', async (t) => {
  t.strictSame(build(), {
    issuer: 'https://h.example',
    authorization_endpoint: 'https://h.example/authorize',
    token_endpoint: 'https://h.example/token',
    registration_endpoint: 'https://h.example/register',
    revocation_endpoint: 'https://h.example/revoke',
    introspection_endpoint: 'https://h.example/introspect',
    jwks_uri: 'https://h.example/.well-known/jwks.json',
    scopes_supported: ['mcp:read'],
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_methods_supported: METHODS,
    token_endpoint_auth_signing_alg_values_supported: ['ES256', 'RS256', 'PS256', 'EdDSA'],
    revocation_endpoint_auth_methods_supported: METHODS,
    revocation_endpoint_auth_signing_alg_values_supported: ['ES256', 'RS256', 'PS256', 'EdDSA'],
    introspection_endpoint_auth_methods_supported: METHODS.slice(1),
    introspection_endpoint_auth_signing_alg_values_supported: ['ES256', 'RS256', 'PS256', 'EdDSA'],
    introspection_signing_alg_values_supported: ['ES256'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true
  })
})

t.test('registration is advertised only where it is open', async (t) => {
  t.notOk(Object.hasOwn(build({ registration: false }), 'registration_endpoint'))
})

t.test('documents of clients are advertised only where they are read', async (t) => {
  t.equal(build({ clientDocuments: true }).client_id_metadata_document_supported, true)
  t.notOk(Object.hasOwn(build(), 'client_id_metadata_document_supported'))
})

t.test('pushed requests are advertised where they are taken, and as required where they are', async (t) => {
  t.notOk(Object.hasOwn(build(), 'pushed_authorization_request_endpoint'))
  t.equal(build({ pushedRequests: 'optional' }).pushed_authorization_request_endpoint, 'https://h.example/par')
  t.notOk(Object.hasOwn(build({ pushedRequests: 'optional' }), 'require_pushed_authorization_requests'))
  t.equal(build({ pushedRequests: 'required' }).require_pushed_authorization_requests, true)
})

t.test('profiles of grants and types of authorization details are named where there are any (EX-14, RFC 9396 §10)', async (t) => {
  const metadata = build({ grantProfiles: ['urn:profile'], detailTypes: ['payment', 'export'] })

  t.strictSame(metadata.authorization_grant_profiles_supported, ['urn:profile'])
  t.strictSame(metadata.authorization_details_types_supported, ['payment', 'export'])
})

t.test('members without a value are left out', async (t) => {
  const metadata = build({ scopes: [], grantProfiles: [], detailTypes: [] })

  for (const name of ['scopes_supported', 'authorization_grant_profiles_supported', 'authorization_details_types_supported']) {
    t.notOk(Object.hasOwn(metadata, name), name)
  }
})

t.test('the endpoints of an issuer with a path are under that path', async (t) => {
  const { authorization, token, registration, revocation, jwks } = endpointsOf('https://h.example/t1')

  t.strictSame(authorization, { path: '/t1/authorize', url: 'https://h.example/t1/authorize' })
  t.strictSame([token.path, registration.path, revocation.path, jwks.path],
    ['/t1/token', '/t1/register', '/t1/revoke', '/t1/.well-known/jwks.json'])
})

t.test('the endpoints of an issuer without path have the names that clients without metadata guess', async (t) => {
  const { authorization, token, registration } = endpointsOf('http://127.0.0.1:3000')

  t.strictSame([authorization.path, token.path, registration.path], ['/authorize', '/token', '/register'])
  t.equal(token.url, 'http://127.0.0.1:3000/token')
})

t.test('the endpoint for devices is named where the grant is offered', async (t) => {
  const grantTypes = ['authorization_code', DEVICE_GRANT]

  t.match(build({ grantTypes }), { device_authorization_endpoint: /\/device_authorization$/, grant_types_supported: grantTypes })
  t.notHas(build(), 'device_authorization_endpoint')
})

t.test('the issuer goes out byte by byte', async (t) => {
  t.equal(build({ issuer: 'https://h.example/T1' }).issuer, 'https://h.example/T1')
})

t.test('the SDK reads the document', async (t) => {
  t.equal(OAuthMetadataSchema.safeParse(build()).success, true)
  t.equal(OAuthMetadataSchema.safeParse(build({ registration: false, scopes: [] })).success, true)
})

t.test('what tokens can be bound to is advertised where it is on (AS-M5)', async (t) => {
  const bound = build({ sender: { dpopAlgorithms: ['ES256'], certificates: true } })

  t.strictSame(bound.dpop_signing_alg_values_supported, ['ES256'])
  t.equal(bound.tls_client_certificate_bound_access_tokens, true)
  t.notOk(Object.hasOwn(build(), 'dpop_signing_alg_values_supported'))
  t.notOk(Object.hasOwn(build(), 'tls_client_certificate_bound_access_tokens'))
})
