import { generateKeyPairSync } from 'node:crypto'
import { calculateJwkThumbprint } from 'jose'
import t from 'tap'
import { readPublicJwk } from '../../lib/crypto/public-jwk.js'

const pairs = {
  'P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'P-384': generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  Ed25519: generateKeyPairSync('ed25519'),
  RSA: generateKeyPairSync('rsa', { modulusLength: 2048 })
}
const ec = pairs['P-256'].publicKey.export({ format: 'jwk' })
const rsa = pairs.RSA.publicKey.export({ format: 'jwk' })

for (const [what, { publicKey }] of Object.entries(pairs)) {
  t.test(`a key of ${what} is read, with the thumbprint of RFC 7638`, async (t) => {
    const jwk = publicKey.export({ format: 'jwk' })
    const read = readPublicJwk({ ...jwk, alg: 'none', kid: '../../etc', use: 'enc', x5u: 'https://evil.example' })

    t.match(read, { kty: jwk.kty, crv: jwk.crv ?? null, thumbprint: await calculateJwkThumbprint(jwk) })
    t.equal(read?.key()?.equals(publicKey), true)
  })
}

t.test('the vector of RFC 7638 §3.1', async (t) => {
  const n = '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw'

  t.equal(readPublicJwk({ kty: 'RSA', n, e: 'AQAB' })?.thumbprint, 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
})

const none: Record<string, unknown> = {
  nothing: undefined,
  null: null,
  'a text': 'key',
  'a list': [ec],
  'no kind': { ...ec, kty: undefined },
  'a shared secret': { kty: 'oct', k: 'AAAA' },
  'a shared secret beside': { ...ec, k: 'AAAA' },
  'the private half': pairs['P-256'].privateKey.export({ format: 'jwk' }),
  'the private half of Ed25519': pairs.Ed25519.privateKey.export({ format: 'jwk' }),
  'the private half of RSA': pairs.RSA.privateKey.export({ format: 'jwk' }),
  'an empty private member': { ...ec, d: '' },
  'more primes': { ...rsa, oth: [] },
  'no y': { ...ec, y: undefined },
  'an x that is a number': { ...ec, x: 7 },
  'an x with padding': { ...ec, x: `${ec.x}=` },
  'an empty x': { ...ec, x: '' },
  'a modulus of more than 4096 bits': { ...rsa, n: 'x'.repeat(684) },
  'a long exponent': { ...rsa, e: 'AQABAQAB' },
  'members that are inherited': Object.create(ec)
}
for (const [what, value] of Object.entries(none)) {
  t.test(`${what} is no public key`, async (t) => {
    t.equal(readPublicJwk(value), null)
  })
}

t.test('numbers that are no key are found out when the key is asked for', async (t) => {
  for (const changes of [{ x: 'AAAA' }, { x: ec.y, y: ec.x }, { crv: 'P-999' }]) {
    t.equal(readPublicJwk({ ...ec, ...changes })?.key(), null)
  }
})
