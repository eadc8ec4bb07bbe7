import { constants, createHmac, createPublicKey, generateKeyPairSync, sign as nodeSign } from 'node:crypto'
import fc from 'fast-check'
import { CompactSign, type CompactJWSHeaderParameters } from 'jose'
import t from 'tap'
import { createSigningKey } from '../../lib/crypto/signing-key.js'
import { InvalidTokenError } from '../../lib/tokens/errors.js'
import {
  claimedIssuer, mediaType, readForeignJws, SIGNATURE_ALGORITHMS, unverifiedClaims, verifyForeignJws
} from '../../lib/tokens/foreign-jws.js'
import type { SignatureAlgorithm } from '../../types/foreign-tokens.js'
import { signAnything, type Members } from '../helpers/foreign-server.js'

const accepted = { algorithms: ['RS256', 'ES256', 'PS256', 'EdDSA'], types: ['at+jwt'] } as const
const key = await createSigningKey('RS256')
const other = await createSigningKey('RS256')
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const sign = (members: Members, claims: unknown = { sub: 'alice' }, by = key) =>
  signAnything({ alg: 'RS256', typ: 'at+jwt', kid: 'k', ...members }, claims, by)
const token = sign({})
const [header = '', payload = '', signature = ''] = token.split('.')
const pem = key.publicKey.export({ format: 'pem', type: 'spki' })
const macked = (secret: string | Buffer) => {
  const text = `${encode({ alg: 'HS256', typ: 'at+jwt', kid: 'k' })}.${payload}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}
const verify = (text: string) => verifyForeignJws(readForeignJws(text, accepted), key.publicKey)

const refusals: Record<string, [string, string]> = {
  'an empty text': ['', 'not a JWT'],
  'two parts': [`${header}.${payload}`, 'not a JWT'],
  'four parts': [`${token}.${signature}`, 'not a JWT'],
  'five parts, as encrypted tokens have': [`${token}.a.b`, 'not a JWT'],
  'an empty signature': [`${header}.${payload}.`, 'not a JWT'],
  padding: [`${token}==`, 'not a JWT'],
  'a header that is no JSON': [`${payload.slice(1)}.${payload}.${signature}`, 'not a JWT'],
  'a header that is a list': [`${encode([])}.${payload}.${signature}`, 'not a JWT'],
  'alg none': [`${encode({ alg: 'none', typ: 'at+jwt' })}.${payload}.`, 'not a JWT'],
  'alg none with a signature': [sign({ alg: 'none' }), 'wrong algorithm'],
  'alg None': [sign({ alg: 'None' }), 'wrong algorithm'],
  'no alg': [sign({ alg: undefined }), 'wrong algorithm'],
  'a list of algs': [sign({ alg: ['RS256'] }), 'wrong algorithm'],
  'an alg that every object has': [sign({ alg: 'constructor' }), 'wrong algorithm'],
  'an alg that is not in the list': [sign({ alg: 'RS512' }), 'wrong algorithm'],
  'the other curve of EdDSA by its newer name': [sign({ alg: 'Ed448' }), 'wrong algorithm'],
  'HS256 with the public key in PEM as its secret': [macked(String(pem)), 'wrong algorithm'],
  'HS256 with the public key in DER as its secret':
    [macked(key.publicKey.export({ format: 'der', type: 'spki' })), 'wrong algorithm'],
  'typ JWT, as ID tokens have': [sign({ typ: 'JWT' }), 'wrong type'],
  'no typ': [sign({ typ: undefined }), 'wrong type'],
  'a DPoP proof': [sign({ typ: 'dpop+jwt', jwk: key.publicKey.export({ format: 'jwk' }) }), 'wrong type'],
  'a client assertion': [sign({ typ: 'client-authentication+jwt' }), 'wrong type'],
  'an ID-JAG': [sign({ typ: 'oauth-id-jag+jwt' }), 'wrong type'],
  'a logout token': [sign({ typ: 'logout+jwt' }), 'wrong type'],
  'an introspection answer': [sign({ typ: 'token-introspection+jwt' }), 'wrong type'],
  'a typ that is no text': [sign({ typ: ['at+jwt'] }), 'malformed typ'],
  'a kid that is no text': [sign({ kid: { a: 1 } }), 'malformed kid'],
  'a crit of which we know nothing': [sign({ crit: ['exp'], exp: 1 }), 'unknown crit'],
  'an unencoded payload': [sign({ crit: ['b64'], b64: false }), 'unknown crit'],
  'an empty crit': [sign({ crit: [] }), 'unknown crit'],
  'another key': [sign({}, { sub: 'alice' }, other), 'bad signature'],
  'another key that it brings along': [sign({ jwk: other.publicKey.export({ format: 'jwk' }) }, {}, other), 'bad signature'],
  'a changed payload': [`${header}.${encode({ sub: 'mallory' })}.${signature}`, 'bad signature'],
  'a changed header': [`${encode({ alg: 'RS256', typ: 'at+jwt', kid: 'l' })}.${payload}.${signature}`, 'bad signature'],
  'another algorithm of the same key': [`${encode({ alg: 'PS256', typ: 'at+jwt', kid: 'k' })}.${payload}.${signature}`, 'bad signature'],
  'a short signature': [`${header}.${payload}.${signature.slice(0, 40)}`, 'bad signature'],
  'claims that are a list': [sign({}, []), 'no claims'],
  'claims that are no JSON': [sign({}, 'bm8'), 'no claims'],
  'ten thousand dots': ['.'.repeat(10_000), 'not a JWT']
}

for (const [name, [forged, reason]] of Object.entries(refusals)) {
  t.test(`${name} is refused`, async (t) => {
    t.throws(() => verify(forged), new InvalidTokenError(reason))
  })
}

t.test('the same signature in another base64 spelling is refused, so that one token is one string', async (t) => {
  // 256 bytes leave four bits of the last character free.
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const spelling = signature.slice(0, -1) + String(alphabet[alphabet.indexOf(signature.at(-1) ?? '') + 1])

  t.same(Buffer.from(spelling, 'base64url'), Buffer.from(signature, 'base64url'))
  t.throws(() => verify(`${header}.${payload}.${spelling}`), new InvalidTokenError('bad signature'))
})

t.test('a key of less than 2048 bits proves nothing', async (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const signed = sign({}, {}, { ...key, privateKey, publicKey })

  t.throws(() => verifyForeignJws(readForeignJws(signed, accepted), publicKey), new InvalidTokenError('weak key'))
})

for (const [what, bytes, e] of [
  ['an exponent as long as its modulus', 256, Buffer.alloc(256, 1)],
  ['an exponent that is too long', 512, Buffer.of(1, 0, 0, 0, 1)],
  ['a huge modulus', 1025, Buffer.of(1, 0, 1)]
] as const) {
  t.test(`a key with ${what}, which takes long to verify with, is refused before it is used`, async (t) => {
    const n = Buffer.alloc(bytes, 0xff).toString('base64url')
    const publicKey = createPublicKey({ key: { kty: 'RSA', n, e: e.toString('base64url') }, format: 'jwk' })

    t.throws(() => verifyForeignJws(readForeignJws(token, accepted), publicKey), new InvalidTokenError('slow key'))
  })
}

t.test('headers that name keys from elsewhere mean nothing, and a token that our key signed is good', async (t) => {
  const jwk = other.publicKey.export({ format: 'jwk' })

  t.strictSame(verify(sign({ jku: 'https://evil.example/jwks', x5u: 'https://evil.example/', jwk, x5c: ['MIIC'] })), { sub: 'alice' })
})

t.test('a type is a media type: in any case, with or without application/', async (t) => {
  for (const typ of ['at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/At+Jwt']) {
    t.equal(readForeignJws(sign({ typ }), accepted).type, 'at+jwt')
  }
  t.equal(mediaType('application/JWT'), 'jwt')
})

t.test('a token without a kid names no key', async (t) => {
  t.equal(readForeignJws(sign({ kid: undefined }), accepted).kid, null)
  t.equal(readForeignJws(token, accepted).kid, 'k')
})

const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 })
const curve = (namedCurve: string) => () => generateKeyPairSync('ec', { namedCurve })

for (const [alg, generate] of [
  ['RS256', rsa], ['RS384', rsa], ['RS512', rsa], ['PS256', rsa], ['PS384', rsa], ['PS512', rsa],
  ['ES256', curve('P-256')], ['ES384', curve('P-384')], ['ES512', curve('P-521')],
  ['EdDSA', () => generateKeyPairSync('ed25519')]
] as const) {
  t.test(`what jose signs with ${alg} is verified, and nothing that was changed`, async (t) => {
    const { privateKey, publicKey } = generate()
    const protectedHeader: CompactJWSHeaderParameters = { alg, typ: 'at+jwt' }
    const signed = await new CompactSign(Buffer.from('{"sub":"alice"}')).setProtectedHeader(protectedHeader).sign(privateKey)
    const jws = readForeignJws(signed, { algorithms: [alg], types: ['at+jwt'] })

    t.strictSame(verifyForeignJws(jws, publicKey), { sub: 'alice' })
    t.throws(() => verifyForeignJws({ ...jws, text: `${jws.text}A` }, publicKey), new InvalidTokenError('bad signature'))
    t.throws(() => verifyForeignJws({ ...jws, signature: jws.signature.subarray(1) }, publicKey), new InvalidTokenError('bad signature'))
    t.ok(SIGNATURE_ALGORITHMS.includes(alg))
  })
}

t.test('what is signed with Ed25519 by its newer name is read as EdDSA, and refused where EdDSA is (RFC 9864)', async (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const protectedHeader: CompactJWSHeaderParameters = { alg: 'Ed25519', typ: 'at+jwt' }
  const signed = await new CompactSign(Buffer.from('{"sub":"alice"}')).setProtectedHeader(protectedHeader).sign(privateKey)
  const jws = readForeignJws(signed, accepted)

  t.equal(jws.algorithm, 'EdDSA')
  t.strictSame(verifyForeignJws(jws, publicKey), { sub: 'alice' })
  t.throws(() => readForeignJws(signed, { ...accepted, algorithms: ['ES256'] }), new InvalidTokenError('wrong algorithm'))
})

t.test('a signature that begins with a zero octet is not taken without it (RFC 8017 §8.1.2)', async (t) => {
  const { privateKey, publicKey } = rsa()
  const text = `${encode({ alg: 'PS256', typ: 'at+jwt' })}.${encode({ sub: 'alice' })}`
  const key = { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
  let signature = nodeSign('sha256', Buffer.from(text), key)
  for (let tries = 0; signature[0] !== 0 && tries < 20_000; tries++) signature = nodeSign('sha256', Buffer.from(text), key)
  const jws = readForeignJws(`${text}.${signature.toString('base64url')}`, { algorithms: ['PS256'], types: ['at+jwt'] })

  t.equal(signature[0], 0)
  t.strictSame(verifyForeignJws(jws, publicKey), { sub: 'alice' })
  t.throws(() => verifyForeignJws({ ...jws, signature: signature.subarray(1) }, publicKey), new InvalidTokenError('bad signature'))
})

t.test('no algorithm of ours has a shared secret or none', async (t) => {
  t.strictSame(SIGNATURE_ALGORITHMS.filter((name) => !/^(?:[REP]S(?:256|384|512)|EdDSA)$/.test(name)), [])
})

t.test('a JWT names an issuer, or none; anything else is no JWT', async (t) => {
  t.equal(claimedIssuer(sign({}, { iss: 'https://as.example' })), 'https://as.example')
  for (const claims of [{}, { iss: 7 }, [], 'bm8']) t.equal(claimedIssuer(sign({}, claims)), null)
  for (const text of ['', 'opaque', 'a.b.c', `${header}.${payload}`, `${encode([])}.a.b`]) t.equal(claimedIssuer(text), undefined)
})

t.test('whatever the text is, it is refused or not, and nothing else happens', async () => {
  const part = fc.oneof(fc.string(), fc.json().map((text) => Buffer.from(text).toString('base64url')), fc.constant(header))
  const algorithms = ['RS256'] satisfies SignatureAlgorithm[]
  fc.assert(fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
    claimedIssuer(parts.join('.'))
    try {
      verifyForeignJws(readForeignJws(parts.join('.'), { algorithms, types: ['at+jwt'] }), key.publicKey)
      return false
    } catch (error) {
      return error instanceof InvalidTokenError
    }
  }), { numRuns: 2000 })
})

t.test('what a token says can be read before anybody believes it', async (t) => {
  t.same(unverifiedClaims(readForeignJws(sign({}, { sub: 'bob' }, other), accepted)), { sub: 'bob' })
  t.equal(unverifiedClaims(readForeignJws(sign({}, []), accepted)), null)
})
