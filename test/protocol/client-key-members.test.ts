import t from 'tap'
import { createSigningKey } from '../../lib/crypto/signing-key.js'
import { readCertificateMembers } from '../../lib/protocol/certificate-subject.js'
import { isSecretMethod, needsKeys, readKeyMembers, readPublishedKeys } from '../../lib/protocol/client-key-members.js'
import type { ClientAuthenticationMethod } from '../../types/oauth.js'

const { publicKey, privateKey } = await createSigningKey('ES256')
const jwk = { ...publicKey.export({ format: 'jwk' }) }
const secret = { ...privateKey.export({ format: 'jwk' }) }
const rsa = { ...(await createSigningKey('RS256')).publicKey.export({ format: 'jwk' }) }
const okp = { ...(await createSigningKey('EdDSA')).publicKey.export({ format: 'jwk' }) }

const read = (members: object, method: ClientAuthenticationMethod = 'private_key_jwt') =>
  readKeyMembers(new Map(Object.entries(members)), method)

t.test('public keys are registered with their names and certificate, and nothing else of them', async (t) => {
  const named = { ...jwk, kid: 'one', use: 'sig', alg: 'ES256', x5c: ['MIIC', 'MIID'], key_ops: ['verify'], x: jwk.x }

  t.strictSame(read({ jwks: { keys: [named, rsa, okp], more: 1 } }), {
    jwks: { keys: [{ ...jwk, kid: 'one', use: 'sig', alg: 'ES256', x5c: ['MIIC'] }, rsa, okp] }
  })
})

t.test('the place of keys is registered, and the algorithm', async (t) => {
  t.strictSame(read({ jwks_uri: 'https://c.example/jwks', token_endpoint_auth_signing_alg: 'PS256' }),
    { jwks_uri: 'https://c.example/jwks', token_endpoint_auth_signing_alg: 'PS256' })
})

t.test('a client whose method needs no keys registers none', async (t) => {
  t.strictSame(read({ jwks: { keys: [jwk] }, token_endpoint_auth_signing_alg: 'none' }, 'none'), {})
  t.strictSame(read({ jwks_uri: 'nonsense' }, 'client_secret_basic'), {})
})

t.test('each method needs one thing at most', async (t) => {
  const methods = [
    'none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'
  ] as const

  t.same(methods.filter(isSecretMethod), ['client_secret_basic', 'client_secret_post'])
  t.same(methods.filter(needsKeys), ['private_key_jwt', 'self_signed_tls_client_auth'])
})

const WRONG: Readonly<Record<string, object>> = {
  'no keys at all': {},
  'keys both by value and by reference': { jwks: { keys: [jwk] }, jwks_uri: 'https://c.example/jwks' },
  'keys that are no object': { jwks: 'x' },
  'keys in a list': { jwks: [jwk] },
  'keys that are inherited': { jwks: Object.create({ keys: [jwk] }) },
  'an empty set of keys': { jwks: { keys: [] } },
  'eleven keys': { jwks: { keys: Array(11).fill(jwk) } },
  'a key that is no object': { jwks: { keys: [1] } },
  'a key of no kind': { jwks: { keys: [{}] } },
  'a secret key': { jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } },
  'a private key': { jwks: { keys: [secret] } },
  'a private key among public ones': { jwks: { keys: [rsa, secret] } },
  'half a key': { jwks: { keys: [{ ...jwk, y: undefined }] } },
  'a number that is none': { jwks: { keys: [{ ...jwk, x: 'a b' }] } },
  'a number without end': { jwks: { keys: [{ ...rsa, n: 'x'.repeat(684) }] } },
  'an exponent that takes long': { jwks: { keys: [{ ...rsa, e: 'x'.repeat(7) }] } },
  'a name that is a number': { jwks: { keys: [{ ...jwk, kid: 1 }] } },
  'an empty name': { jwks: { keys: [{ ...jwk, kid: '' }] } },
  'a name of 257 characters': { jwks: { keys: [{ ...jwk, kid: 'x'.repeat(257) }] } },
  'a name with a line break': { jwks: { keys: [{ ...jwk, kid: 'a\nb' }] } },
  'a certificate that is no list': { jwks: { keys: [{ ...jwk, x5c: 'MIIC' }] } },
  'a certificate that is no base64': { jwks: { keys: [{ ...jwk, x5c: ['-'] }] } },
  'an empty chain': { jwks: { keys: [{ ...jwk, x5c: [] }] } },
  'keys by plain http': { jwks_uri: 'http://c.example/jwks' },
  'keys at no URL': { jwks_uri: 'c.example' },
  'keys in a file': { jwks_uri: 'file:///etc/passwd' },
  'keys with a password': { jwks_uri: 'https://a:b@c.example/jwks' },
  'keys at a list': { jwks_uri: ['https://c.example/jwks'] },
  'an algorithm with a shared secret': { jwks: { keys: [jwk] }, token_endpoint_auth_signing_alg: 'HS256' },
  'the algorithm none': { jwks: { keys: [jwk] }, token_endpoint_auth_signing_alg: 'none' }
}

for (const [name, members] of Object.entries(WRONG)) {
  t.test(`${name} of a client with private_key_jwt: refused as invalid_client_metadata`, async (t) => {
    t.throws(() => read(members), { code: 'invalid_client_metadata', status: 400 })
  })
}

t.test('the error never repeats a key', async (t) => {
  t.throws(() => read({ jwks: { keys: [secret] } }), { message: new RegExp(`^(?!.*${String(secret.d)})`) })
})

const subject = (members: object, method: ClientAuthenticationMethod = 'tls_client_auth') =>
  readCertificateMembers(new Map(Object.entries(members)), method)

t.test('one thing that the certificate says is registered', async (t) => {
  for (const members of [
    { tls_client_auth_subject_dn: 'CN=c,O=Example\\, Ltd,C=GB' }, { tls_client_auth_san_dns: 'c.example' },
    { tls_client_auth_san_uri: 'spiffe://c.example/x' }, { tls_client_auth_san_ip: '2001:db8::1' },
    { tls_client_auth_san_email: 'c@c.example' }
  ]) {
    t.strictSame(subject({ ...members, other: 1 }), members)
    t.strictSame(subject(members, 'private_key_jwt'), {})
  }
})

const WRONG_SUBJECTS: Readonly<Record<string, object>> = {
  nothing: {},
  'two things': { tls_client_auth_san_dns: 'c.example', tls_client_auth_san_ip: '192.0.2.1' },
  'a name that is a list': { tls_client_auth_san_dns: ['c.example'] },
  'everything below a name': { tls_client_auth_san_dns: '.example' },
  'a wildcard': { tls_client_auth_san_dns: '*.example' },
  'no name': { tls_client_auth_subject_dn: 'nonsense' },
  'no URI': { tls_client_auth_san_uri: 'c' },
  'no address': { tls_client_auth_san_ip: 'c.example' },
  'no mail address': { tls_client_auth_san_email: 'c.example' },
  'too much': { tls_client_auth_subject_dn: `CN=${'x'.repeat(1024)}` }
}

for (const [name, members] of Object.entries(WRONG_SUBJECTS)) {
  t.test(`${name} as what a certificate has to say is refused as invalid_client_metadata`, async (t) => {
    t.throws(() => subject(members), { code: 'invalid_client_metadata' })
  })
}

t.test('of a published set of keys only public keys for signatures are kept, and what these need', async (t) => {
  const kept = { ...jwk, kid: 'a', use: 'sig' }
  const others = [
    null, [], {}, 1, 'x', secret, { ...rsa, e: 'x'.repeat(7) }, { ...jwk, x5c: [1] }, { ...jwk, key_ops: ['deriveKey'] }
  ]
  const more = { key_ops: ['verify'], x5t: 'x', nested: [[{ a: 1 }]], x5c: ['MIIC', 'MIID'] }
  t.strictSame(readPublishedKeys({ keys: [...others, { ...kept, ...more }, rsa], more }),
    { keys: [{ ...kept, x5c: ['MIIC'] }, rsa] })
  t.equal(readPublishedKeys({ keys: Array(21_000).fill(jwk) }).keys.length, 100)
  for (const wrong of [null, [], {}, 'x', { keys: {} }, Object.create({ keys: [] })]) {
    t.throws(() => readPublishedKeys(wrong), TypeError)
  }
})
