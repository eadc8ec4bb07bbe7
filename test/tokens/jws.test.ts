import { createHmac } from 'node:crypto'
import { importJWK, jwtVerify } from 'jose'
import t from 'tap'
import { createSigningKey, writeJwks, type TokenKey } from '../../lib/crypto/signing-key.js'
import { InvalidTokenError } from '../../lib/tokens/errors.js'
import { keysByHeader, seekKey, signJws, verifyJws } from '../../lib/tokens/jws.js'

const key = await createSigningKey('ES256')
const other = await createSigningKey('ES256')

const ringOf = (...keys: TokenKey[]) => ({ keys })

const keys = keysByHeader(ringOf(key), 'at+jwt')
const token = await signJws({ key, type: 'at+jwt', claims: { sub: 'alice' } })
const [header = '', payload = '', signature = ''] = token.split('.')
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const pem = key.publicKey.export({ format: 'pem', type: 'spki' })
const hs256 = `${encode({ alg: 'HS256', typ: 'at+jwt', kid: key.kid })}.${payload}`
const rewrap = (members: object) =>
  `${encode({ alg: 'ES256', typ: 'at+jwt', kid: key.kid, ...members })}.${payload}.${signature}`

const refusals = {
  'an empty text': '',
  'two parts': `${header}.${payload}`,
  'four parts': `${token}.${signature}`,
  'an empty signature': `${header}.${payload}.`,
  'alg none': `${encode({ alg: 'none', typ: 'at+jwt' })}.${payload}.`,
  'alg none with a signature': rewrap({ alg: 'none' }),
  'HS256 with the public key as its secret': `${hs256}.${createHmac('sha256', pem).update(hs256).digest('base64url')}`,
  'an ID token of our key': await signJws({ key, type: 'JWT', claims: { sub: 'alice' } }),
  'another key': await signJws({ key: other, type: 'at+jwt', claims: { sub: 'alice' } }),
  'another key under our kid': await signJws({ key: { ...other, kid: key.kid }, type: 'at+jwt', claims: { sub: 'alice' } }),
  'an embedded jwk': rewrap({ jwk: other.publicKey.export({ format: 'jwk' }) }),
  'a jku': rewrap({ jku: 'https://evil.example/jwks.json' }),
  'an unknown crit': rewrap({ crit: ['b64'], b64: false }),
  'a kid that walks the file system': rewrap({ kid: '../../dev/null' }),
  'a changed payload': `${header}.${encode({ sub: 'mallory' })}.${signature}`,
  'a changed signature': `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
  'a short signature': `${header}.${payload}.${signature.slice(0, 40)}`,
  padding: `${token}==`,
  'blanks around it': ` ${token} `,
  'ten thousand dots': '.'.repeat(10_000)
}

for (const [name, forged] of Object.entries(refusals)) {
  t.test(`${name} is refused`, async (t) => {
    t.throws(() => verifyJws(forged, keys), InvalidTokenError)
  })
}

t.test('the same signature in another base64 spelling is refused', async (t) => {
  // Of the last character of 64 bytes in base64url only two bits count; the four low ones are free.
  const last = signature.at(-1) ?? ''
  for (const steps of [1, 2, 15]) {
    const spelling = `${signature.slice(0, -1)}${nextCharacter(last, steps)}`
    t.same(Buffer.from(spelling, 'base64url'), Buffer.from(signature, 'base64url'))
    t.throws(() => verifyJws(`${header}.${payload}.${spelling}`, keys), new InvalidTokenError('bad signature'))
  }
})

function nextCharacter (character: string, steps: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet[alphabet.indexOf(character) + steps] ?? ''
}

for (const algorithm of ['ES256', 'RS256', 'EdDSA'] as const) {
  t.test(`jose verifies what is signed with ${algorithm}, and so do we`, async (t) => {
    const own = await createSigningKey(algorithm)
    const signed = await signJws({ key: own, type: 'at+jwt', claims: { sub: 'alice' } })

    const publicKey = await importJWK(JSON.parse(writeJwks([own])).keys[0])
    const verified = await jwtVerify(signed, publicKey, { algorithms: [algorithm], typ: 'at+jwt' })

    t.same(verified.payload, { sub: 'alice' })
    t.same(verified.protectedHeader, { alg: algorithm, typ: 'at+jwt', kid: own.kid })
    t.equal(verifyJws(signed, keysByHeader(ringOf(own), 'at+jwt')), '{"sub":"alice"}')
  })
}

t.test('a token of a retired key is good as long as the keyring has the key', async (t) => {
  t.equal(verifyJws(token, keysByHeader(ringOf(other, key), 'at+jwt')), '{"sub":"alice"}')
})

t.test('the keys of a keyring are followed', async (t) => {
  const ring = { keys: [other] }
  const keys = keysByHeader(ring, 'at+jwt')
  t.throws(() => verifyJws(token, keys), new InvalidTokenError('unknown header'))

  ring.keys = [other, key]
  t.equal(verifyJws(token, keys), '{"sub":"alice"}')
  ring.keys = [other]
  t.throws(() => verifyJws(token, keys), new InvalidTokenError('unknown header'))
})

t.test('a key is sought by the name in a header that nobody knows, and for no other token', async (t) => {
  const sought: string[] = []
  const ring = { keys: [key], seek: async (kid: string) => { sought.push(kid); return false } }
  const keys = keysByHeader(ring, 'at+jwt')
  const headers = ['', '.', 'a', 'null', '"text"', '[]', encode({}), encode({ kid: 1 }), encode({ kid: 'x'.repeat(500) })]
  for (const header of headers) await seekKey(`${header}.${payload}.${signature}`, ring, keys)
  await seekKey('no token at all', ring, keys)
  await seekKey(token, ring, keys)
  t.same(sought, [])

  await seekKey(await signJws({ key: other, type: 'at+jwt', claims: {} }), ring, keys)
  t.same(sought, [other.kid])
})

t.test('an error names its reason and holds nothing of the token', async (t) => {
  const error = new InvalidTokenError('expired')

  t.match(error, { code: 'MCPS_ERR_INVALID_TOKEN', name: 'InvalidTokenError', reason: 'expired' })
  t.match(error.message, /expired/)
})
