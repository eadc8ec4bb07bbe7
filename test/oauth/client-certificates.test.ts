import { X509Certificate } from 'node:crypto'
import t from 'tap'
import { assertClientCertificate } from '../../lib/oauth/client-certificates.js'
import { createClientKeys } from '../../lib/oauth/client-keys.js'
import { InvalidTokenError } from '../../lib/tokens/errors.js'
import type { Client, ClientAuthenticationMethod, ClientMetadata } from '../../types/oauth.js'
import { makeCertificate } from '../helpers/certificates.js'
import { PUBLIC_CLIENT } from '../helpers/token-context.js'

const made = makeCertificate('client.example', [
  'DNS:client.example', 'DNS:*.wild.example', 'URI:spiffe://example/client', 'IP:192.0.2.1', 'email:client@example.org'
])
const other = makeCertificate('client.example')
const x509 = new X509Certificate(made.cert)
const now = Math.floor(Date.parse(x509.validFrom) / 1000) + 60
const keys = createClientKeys({})

const clientOf = (method: ClientAuthenticationMethod, metadata: Partial<ClientMetadata>): Client => ({
  clientId: 'job',
  metadata: { ...PUBLIC_CLIENT, token_endpoint_auth_method: method, ...metadata },
  secretDigests: [],
  authenticationMethods: [method],
  origin: 'static',
  issuedAt: 0
})

const show = (client: Client, { cert = made, isTrusted = true, at = now } = {}) => assertClientCertificate(
  { x509: new X509Certificate(cert.cert), thumbprint: cert.thumbprint, isTrusted }, client, { keys, now: at })

const SUBJECTS: Readonly<Record<string, readonly [Partial<ClientMetadata>, Partial<ClientMetadata>]>> = {
  'its distinguished name': [{ tls_client_auth_subject_dn: 'CN=client.example' }, { tls_client_auth_subject_dn: 'CN=example' }],
  'a DNS name': [{ tls_client_auth_san_dns: 'client.example' }, { tls_client_auth_san_dns: 'a.wild.example' }],
  'a URI': [{ tls_client_auth_san_uri: 'spiffe://example/client' }, { tls_client_auth_san_uri: 'spiffe://example/' }],
  'an address': [{ tls_client_auth_san_ip: '192.0.2.1' }, { tls_client_auth_san_ip: '192.0.2.2' }],
  'a mail address': [{ tls_client_auth_san_email: 'client@example.org' }, { tls_client_auth_san_email: 'other@example.org' }]
}

for (const [name, [right, wrong]] of Object.entries(SUBJECTS)) {
  t.test(`a trusted certificate shows by ${name} whose it is, and nobody else`, async (t) => {
    await t.resolves(show(clientOf('tls_client_auth', right)))
    await t.rejects(show(clientOf('tls_client_auth', wrong)), new InvalidTokenError('of somebody else'))
    await t.rejects(show(clientOf('tls_client_auth', right), { isTrusted: false }), new InvalidTokenError('not trusted'))
  })
}

t.test('what stands in another place of the certificate is not what was registered', async (t) => {
  for (const metadata of [
    { tls_client_auth_san_dns: 'wild.example' }, { tls_client_auth_san_uri: 'client.example' },
    { tls_client_auth_san_email: 'client.example' }, { tls_client_auth_subject_dn: 'nonsense' }, {}
  ]) {
    await t.rejects(show(clientOf('tls_client_auth', metadata)), new InvalidTokenError('of somebody else'))
  }
  await t.rejects(show(clientOf('tls_client_auth', { tls_client_auth_san_uri: 'x:y' }), { cert: makeCertificate('c', ['DNS:c']) }),
    new InvalidTokenError('of somebody else'))
})

t.test('a URI is compared as it is, whatever separates names', async (t) => {
  const tricky = makeCertificate('c', ['URI:x:y, URI:spiffe://example/client'])
  const client = clientOf('tls_client_auth', { tls_client_auth_san_uri: 'spiffe://example/client' })

  await t.rejects(show(client, { cert: tricky }), new InvalidTokenError('of somebody else'))
})

const certified = (cert: typeof made) =>
  clientOf('self_signed_tls_client_auth', { jwks: { keys: [{ kty: 'EC', x5c: [cert.der.toString('base64')] }] } })

t.test('a certificate of the client itself is good byte by byte, whoever trusts it', async (t) => {
  await t.resolves(show(certified(made), { isTrusted: false }))
  await t.rejects(show(certified(other)), new InvalidTokenError('unknown key'))
  await t.rejects(show(clientOf('self_signed_tls_client_auth', {})), new InvalidTokenError('unknown key'))
})

t.test('nobody looks at the time of a self-signed certificate but us', async (t) => {
  const end = Date.parse(x509.validTo) / 1000

  await t.resolves(show(certified(made), { at: end - 1 }))
  await t.rejects(show(certified(made), { at: end }), new InvalidTokenError('out of its time'))
  await t.rejects(show(certified(made), { at: now - 61 }), new InvalidTokenError('out of its time'))
})

t.test('a connection without a certificate shows nothing', async (t) => {
  for (const method of ['tls_client_auth', 'self_signed_tls_client_auth'] as const) {
    await t.rejects(assertClientCertificate(null, clientOf(method, {}), { keys, now }), new InvalidTokenError('no certificate'))
  }
})
