import t from 'tap'
import { sha256 } from '../../lib/crypto/digest.js'
import { createSigningKey } from '../../lib/crypto/signing-key.js'
import { readStaticClients } from '../../lib/oauth/static-clients.js'
import type { StaticClient } from '../../types/oauth.js'

const minimal = { clientId: 'desk', redirectUris: ['https://desk.example/callback'] }
const secret = 'x'.repeat(32)
const jwk = { ...(await createSigningKey('ES256')).publicKey.export({ format: 'jwk' }) }

const refusals: Readonly<Record<string, readonly [StaticClient, string]>> = {
  'an empty id': [{ ...minimal, clientId: '' }, 'clients[0].clientId'],
  'an id that Basic spells in two ways': [{ ...minimal, clientId: 'a+b' }, 'clients[0].clientId'],
  'an id that is a URL': [{ ...minimal, clientId: 'https://desk.example' }, 'clients[0].clientId'],
  'no redirect URI': [{ ...minimal, redirectUris: [] }, 'clients[0].redirectUris'],
  'an http redirect URI off loopback': [{ ...minimal, redirectUris: ['http://desk.example/'] }, 'clients[0].redirectUris[0]'],
  'a script redirect URI': [{ ...minimal, redirectUris: ['javascript:alert(1)'] }, 'clients[0].redirectUris[0]'],
  'a relative redirect URI': [{ ...minimal, redirectUris: ['/callback'] }, 'clients[0].redirectUris[0]'],
  'a short secret': [{ ...minimal, secret: 'x'.repeat(31) }, 'clients[0].secret'],
  'a secret that Basic spells in two ways': [{ ...minimal, secret: 'x+'.repeat(20) }, 'clients[0].secret'],
  'a secret for method none': [{ ...minimal, secret, tokenEndpointAuthMethod: 'none' }, 'clients[0].secret'],
  'no secret for a method that needs one':
    [{ ...minimal, tokenEndpointAuthMethod: 'client_secret_basic' }, 'clients[0].secret'],
  'two ways to give secrets': [{ ...minimal, secret, secrets: [secret] }, 'clients[0].secrets'],
  'three secrets': [{ ...minimal, secrets: [secret, secret, secret] }, 'clients[0].secrets'],
  'an empty list of secrets': [{ ...minimal, secrets: [] }, 'clients[0].secrets'],
  'a short secret among two': [{ ...minimal, secrets: [secret, 'x'] }, 'clients[0].secrets'],
  'no keys for a method that needs them':
    [{ ...minimal, tokenEndpointAuthMethod: 'private_key_jwt' }, 'clients[0].jwks'],
  'no keys for its own certificates':
    [{ ...minimal, tokenEndpointAuthMethod: 'self_signed_tls_client_auth' }, 'clients[0].jwks'],
  'keys beside a secret': [{ ...minimal, secret, jwks: { keys: [jwk] } }, 'clients[0].jwks'],
  'keys both by value and by reference':
    [{ ...minimal, jwks: { keys: [jwk] }, jwksUri: 'https://desk.example/jwks' }, 'clients[0].jwksUri'],
  'keys by plain http': [{ ...minimal, jwksUri: 'http://desk.example/jwks' }, 'clients[0].jwksUri'],
  'private keys': [{ ...minimal, jwks: { keys: [{ ...jwk, d: 'AAAA' }] } }, 'clients[0].jwks'],
  'a key that is none': [{ ...minimal, jwks: { keys: [jwk, { ...jwk, x: 'AAAA' }] } }, 'clients[0].jwks.keys.1'],
  'nothing that its certificate says':
    [{ ...minimal, tokenEndpointAuthMethod: 'tls_client_auth' }, 'clients[0].tlsClientAuth'],
  'two things that its certificate says':
    [{ ...minimal, tlsClientAuth: { sanDns: 'desk.example', sanIp: '192.0.2.1' } }, 'clients[0].tlsClientAuth'],
  'what a certificate cannot say': [{ ...minimal, tlsClientAuth: { sanIp: 'desk' } }, 'clients[0].tlsClientAuth'],
  'a certificate beside a secret':
    [{ ...minimal, secret, tlsClientAuth: { sanDns: 'desk.example' } }, 'clients[0].tlsClientAuth'],
  'tokens to ask about and no secret': [{ ...minimal, introspects: ['https://mcp.example/mcp'] }, 'clients[0].introspects'],
  'tokens to ask about for what is no resource':
    [{ ...minimal, secret, introspects: ['https://mcp.example/mcp', '/mcp'] }, 'clients[0].introspects[1]'],
  'an empty scope': [{ ...minimal, scope: '' }, 'clients[0].scope'],
  'a malformed scope': [{ ...minimal, scope: 'a"b' }, 'clients[0].scope'],
  'redirect URIs that nothing redirects to': [{ ...minimal, grantTypes: ['client_credentials'], secret, scope: 'a' }, 'clients[0].redirectUris'],
  'tokens of its own and no secret': [{ clientId: 'job', grantTypes: ['client_credentials'], scope: 'a' }, 'clients[0].grantTypes'],
  'tokens of its own and no scope': [{ clientId: 'job', grantTypes: ['client_credentials'], secret }, 'clients[0].scope']
}

for (const [name, [client, path]] of Object.entries(refusals)) {
  t.test(`a client with ${name} stops the boot with its path and without its secret`, async (t) => {
    const error: unknown = await Promise.resolve().then(() => readStaticClients([client])).catch((error) => error)

    t.match(error, { code: 'MCPS_ERR_INVALID_OPTION' })
    t.ok(String(error).includes(`: ${path} `), String(error))
    if (client.secret !== undefined) t.notOk(String(error).includes(client.secret))
  })
}

t.test('an id that is used twice stops the boot', async (t) => {
  t.throws(() => readStaticClients([minimal, minimal]), { message: 'clients[1].clientId is used twice' })
})

t.test('a client without a secret is public and may refresh', async (t) => {
  t.strictSame(readStaticClients([minimal]).get('desk'), {
    clientId: 'desk',
    metadata: {
      redirect_uris: minimal.redirectUris,
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code']
    },
    secretDigests: [],
    authenticationMethods: ['none'],
    origin: 'static',
    issuedAt: 0
  })
})

t.test('a client with a secret authenticates by Basic unless it says otherwise; the secret is not kept', async (t) => {
  const clients = readStaticClients([
    { ...minimal, secret, name: 'Desk', scope: 'notes:read', grantTypes: ['authorization_code'] },
    { ...minimal, clientId: 'post', secret, tokenEndpointAuthMethod: 'client_secret_post' }
  ])

  t.match(clients.get('desk'), {
    secretDigests: [sha256(secret)],
    authenticationMethods: ['client_secret_basic'],
    metadata: { client_name: 'Desk', scope: 'notes:read', grant_types: ['authorization_code'] }
  })
  t.same(clients.get('post')?.authenticationMethods, ['client_secret_post'])
  t.notOk(JSON.stringify([...clients]).includes(secret))
})

t.test('a client that no browser comes back to has no redirect URI', async (t) => {
  const clients = readStaticClients([{ clientId: 'job', secret, scope: 'notes:read', grantTypes: ['client_credentials'] }])

  t.match(clients.get('job')?.metadata, { redirect_uris: [], response_types: [], grant_types: ['client_credentials'] })
})

t.test('a resource server asks about tokens for its resources, and is no client unless it says so', async (t) => {
  const introspects = ['https://mcp.example/mcp']
  const clients = readStaticClients([
    { clientId: 'server', secret, introspects }, { ...minimal, clientId: 'both', secret, introspects }
  ])

  t.match(clients.get('server'), { introspects, metadata: { grant_types: [], redirect_uris: [], response_types: [] } })
  t.match(clients.get('both'), { introspects, metadata: { grant_types: ['authorization_code', 'refresh_token'] } })
})

t.test('the operator may hold a client to tokens that are bound', async (t) => {
  const bound = { ...minimal, dpopBoundAccessTokens: true, certificateBoundAccessTokens: true }

  t.match(readStaticClients([bound]).get('desk')?.metadata, {
    dpop_bound_access_tokens: true, tls_client_certificate_bound_access_tokens: true
  })
})

t.test('a client may have two secrets while it changes from one to the other', async (t) => {
  const next = 'y'.repeat(32)

  t.same(readStaticClients([{ ...minimal, secrets: [next, secret] }]).get('desk')?.secretDigests, [sha256(next), sha256(secret)])
})

t.test('the method is the one that fits what is given, unless it is named', async (t) => {
  const clients = readStaticClients([
    { ...minimal, clientId: 'value', jwks: { keys: [{ ...jwk, kid: 'one' }] } },
    { ...minimal, clientId: 'reference', jwksUri: 'https://desk.example/jwks' },
    { ...minimal, clientId: 'own', jwks: { keys: [jwk] }, tokenEndpointAuthMethod: 'self_signed_tls_client_auth' },
    { ...minimal, clientId: 'subject', tlsClientAuth: { subjectDn: 'CN=desk' } }
  ])

  t.match(clients.get('value'), {
    authenticationMethods: ['private_key_jwt'], secretDigests: [], metadata: { jwks: { keys: [{ ...jwk, kid: 'one' }] } }
  })
  t.match(clients.get('reference'), {
    authenticationMethods: ['private_key_jwt'], metadata: { jwks_uri: 'https://desk.example/jwks' }
  })
  t.match(clients.get('own'), { authenticationMethods: ['self_signed_tls_client_auth'] })
  t.match(clients.get('subject'), {
    authenticationMethods: ['tls_client_auth'], metadata: { tls_client_auth_subject_dn: 'CN=desk' }
  })
})

t.test('the operator may name private-use schemes', async (t) => {
  const redirectUris = ['cursor://callback', 'com.example.App:/callback', 'http://localhost:1/callback']

  t.same(readStaticClients([{ ...minimal, redirectUris }]).get('desk')?.metadata.redirect_uris, redirectUris)
})
