import { verify } from 'node:crypto'
import { calculateJwkThumbprint } from 'jose'
import t from 'tap'
import { createSigningKey, isSignedBy, readPrivateKey, writeJwks, writePrivateKey } from '../../lib/crypto/signing-key.js'
import type { SigningAlgorithm } from '../../types/crypto.js'

const ALGORITHMS: Record<SigningAlgorithm, object> = {
  ES256: { kty: 'EC', crv: 'P-256' },
  RS256: { kty: 'RSA', e: 'AQAB' },
  EdDSA: { kty: 'OKP', crv: 'Ed25519' }
}
const HASHES = { ES256: 'sha256', RS256: 'sha256', EdDSA: null }

for (const algorithm of ['ES256', 'RS256', 'EdDSA'] as const) {
  t.test(`a key for ${algorithm} is named after its thumbprint and published without its private half`, async (t) => {
    const key = await createSigningKey(algorithm)
    const { keys: [jwk] } = JSON.parse(writeJwks([key]))

    t.match(jwk, { ...ALGORITHMS[algorithm], kid: key.kid, use: 'sig', alg: algorithm })
    t.equal(key.kid, await calculateJwkThumbprint(jwk))
    for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) t.notOk(Object.hasOwn(jwk, member), member)
  })

  t.test(`a key for ${algorithm} that was written and read again signs for the same public key`, async (t) => {
    const key = await createSigningKey(algorithm)
    const again = readPrivateKey({ kid: key.kid, algorithm, privateKey: writePrivateKey(key) })

    const signature = await again.sign(Buffer.from('text'))

    const { publicKey } = key
    t.ok(verify(HASHES[algorithm], Buffer.from('text'), { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature))
    t.equal(isSignedBy(key, Buffer.from('text'), signature), true)
    t.equal(isSignedBy(key, Buffer.from('another'), signature), false)
    t.equal(writeJwks([again]), writeJwks([key]))
  })
}

t.test('an RSA key has 2048 bits', async (t) => {
  const { publicKey } = await createSigningKey('RS256')

  t.equal(publicKey.asymmetricKeyDetails?.modulusLength, 2048)
})
