import { generateKeyPairSync, sign } from 'node:crypto'
import { mock } from 'node:test'
import t from 'tap'
import { openSigners } from '../../lib/crypto/remote-keys.js'
import { createSigningKey, isSignedBy } from '../../lib/crypto/signing-key.js'
import type { Signer } from '../../types/crypto.js'

const local = await createSigningKey('ES256')
const publicJwk = local.publicKey.export({ format: 'jwk' })
const good: Signer = { algorithm: 'ES256', publicJwk, sign: async (bytes) => await local.sign(bytes) }
const text = Buffer.from('text')

for (const algorithm of ['ES256', 'RS256', 'EdDSA'] as const) {
  t.test(`a signer for ${algorithm} is named after its thumbprint, and signs`, async (t) => {
    const own = await createSigningKey(algorithm)
    const jwk = { ...own.publicKey.export({ format: 'jwk' }), kid: 'what the KMS calls it', use: 'sig' }
    const [key] = await openSigners([{ algorithm, publicJwk: jwk, sign: async (bytes) => await own.sign(bytes) }])

    t.match(key, { kid: own.kid, algorithm })
    t.ok(isSignedBy(own, text, await key?.sign(text) ?? Buffer.alloc(0)))
  })
}

const pair = (type: 'ec' | 'rsa', options: object) =>
  generateKeyPairSync(type as 'rsa', options as { modulusLength: number }).publicKey.export({ format: 'jwk' })

const refused: Readonly<Record<string, [Partial<Signer>, RegExp]>> = {
  'without a public key': [{ publicJwk: {} }, /^signers\.1\.publicJwk /],
  'with the private half': [{ publicJwk: local.privateKey.export({ format: 'jwk' }) }, /^signers\.1\.publicJwk /],
  'on another curve': [{ publicJwk: pair('ec', { namedCurve: 'P-384' }) }, /^signers\.1\.publicJwk /],
  'with a short RSA key': [{ algorithm: 'RS256', publicJwk: pair('rsa', { modulusLength: 1024 }) }, /^signers\.1\.publicJwk /],
  'with a key of another kind': [{ algorithm: 'RS256' }, /^signers\.1\.publicJwk /],
  'for another algorithm': [{ algorithm: 'constructor' as 'ES256' }, /^signers\.1\.publicJwk /],
  'whose numbers are no key': [{ publicJwk: { ...publicJwk, x: 'AAAA' } }, /^signers\.1\.publicJwk /],
  'that fails': [{ sign: async () => { throw new Error('denied') } }, /^signers\.1\.sign /],
  'that answers in DER': [{ sign: async (bytes) => sign('sha256', bytes, local.privateKey) }, /^signers\.1\.sign /],
  'that answers no bytes': [{ sign: async () => 'signature' as unknown as Uint8Array }, /^signers\.1\.sign /]
}

for (const [what, [changed, message]] of Object.entries(refused)) {
  t.test(`a signer ${what} stops the boot`, async (t) => {
    await t.rejects(openSigners([good, { ...good, ...changed }]), { code: 'MCPS_ERR_INVALID_OPTION', message })
  })
}

t.test('a signer that is there twice stops the boot, so that no name in the key set is (AS-M6)', async (t) => {
  await t.rejects(openSigners([good, { ...good }]), { code: 'MCPS_ERR_INVALID_OPTION', message: /^signers\.1 / })
})

t.test('a signature that the public key does not verify never goes out', async (t) => {
  let isBroken = false
  const signing: Signer = { ...good, sign: async (bytes) => isBroken ? Buffer.alloc(64) : await local.sign(bytes) }
  const [key] = await openSigners([signing])
  isBroken = true

  await t.rejects(async () => await key?.sign(text), { code: 'MCPS_ERR_SIGNER' })
})

t.test('a signer that does not answer is given up on after five seconds', async (t) => {
  let isHanging = false
  const [key] = await openSigners([{
    ...good,
    sign: async (bytes) => await (isHanging ? new Promise<never>(() => {}) : local.sign(bytes))
  }])
  isHanging = true
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => { mock.timers.reset() })
  const signed = key?.sign(text)
  const refusal = t.rejects(async () => await signed, { code: 'MCPS_ERR_SIGNER' })
  mock.timers.tick(5000)

  await refusal
})
