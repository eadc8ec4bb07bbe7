import { createHmac, generateKeyPairSync } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import t from 'tap'
import { sha256 } from '../../lib/crypto/digest.js'
import { createSigningKey } from '../../lib/crypto/signing-key.js'
import { OAuthError } from '../../lib/protocol/oauth-error.js'
import { PROOF_ALGORITHMS, verifyDpopProof, type ProofInput, type ProofRules } from '../../lib/tokens/dpop-proof.js'
import type { SignatureAlgorithm } from '../../types/foreign-tokens.js'
import { dpopClient } from '../helpers/dpop.js'
import { signAnything, type Members } from '../helpers/foreign-server.js'

const NOW = 1_700_000_000
const URI = 'https://h.example/mcp'
const rules: ProofRules = { algorithms: PROOF_ALGORITHMS, isGoodNonce: null }
const client = await dpopClient({ htu: URI, now: () => NOW })
const thief = await dpopClient({ htu: URI, now: () => NOW })

const verify = (proof: string, more: Partial<ProofInput> = {}, moreRules: Partial<ProofRules> = {}) => verifyDpopProof({
  proof, method: 'POST', uri: URI, accessTokenHash: sha256('token'), thumbprint: client.thumbprint, now: NOW, ...more
}, { ...rules, ...moreRules })

function refusal (run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof OAuthError) return `${error.code}: ${error.reason}`
    throw error
  }
  return 'taken'
}

function macked (secret: string): string {
  const [header, payload] = client.proof('token', { header: { alg: 'HS256' } }).split('.')
  return `${header}.${payload}.${createHmac('sha256', secret).update(`${header}.${payload}`).digest('base64url')}`
}

const rsa = await createSigningKey('RS256')
const other = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' })
const small = generateKeyPairSync('rsa', { modulusLength: 1024 })
const [head = '', body = '', signature = ''] = client.proof('token').split('.')

const bad = (reason: string): string => `invalid_dpop_proof: ${reason}`
const headed = (header: Members): string => client.proof('token', { header })
const refused: Record<string, [string, string]> = {
  'a text that is no JWT': ['proof', bad('proof: not a JWT')],
  'two proofs in one line': [`${client.proof('token')}, ${client.proof('token')}`, bad('proof: not a JWT')],
  'no typ': [headed({ typ: undefined }), bad('proof: wrong type')],
  'the typ of an access token': [headed({ typ: 'at+jwt' }), bad('proof: wrong type')],
  'the typ JWT': [headed({ typ: 'JWT' }), bad('proof: wrong type')],
  'alg none': [headed({ alg: 'none' }), bad('proof: wrong algorithm')],
  'HS256 with an empty secret': [macked(''), bad('proof: wrong algorithm')],
  'HS256 with the public key': [macked(JSON.stringify(client.jwk)), bad('proof: wrong algorithm')],
  'an algorithm that is not listed': [headed({ alg: 'ES384' }), bad('proof: wrong algorithm')],
  'an unknown crit': [headed({ crit: ['x'] }), bad('proof: unknown crit')],
  'no jwk': [headed({ jwk: undefined }), bad('no public key')],
  'a kid in place of the jwk': [headed({ jwk: undefined, kid: client.thumbprint, jku: 'https://evil.example' }), bad('no public key')],
  'a private key': [headed({ jwk: client.key.privateKey.export({ format: 'jwk' }) }), bad('no public key')],
  'a key of another kind': [headed({ jwk: rsa.publicKey.export({ format: 'jwk' }) }), bad('key of another algorithm')],
  'a key of another curve': [headed({ jwk: other }), bad('key of another algorithm')],
  'an algorithm of another kind of key': [headed({ alg: 'EdDSA' }), bad('key of another algorithm')],
  'a key that is none': [headed({ jwk: { ...client.jwk, x: client.jwk.y } }), 'invalid_token: bound to another key'],
  'the key of somebody else': [thief.proof('token'), 'invalid_token: bound to another key'],
  'our key and the signature of somebody else': [
    signAnything({ typ: 'dpop+jwt', alg: 'ES256', jwk: client.jwk },
      { jti: 'a', htm: 'POST', htu: URI, iat: NOW, ath: sha256('token') }, thief.key),
    bad('proof: bad signature')
  ],
  'other claims under the signature': [
    `${head}.${Buffer.from(JSON.stringify({ jti: 'a', htm: 'POST', htu: URI, iat: NOW, ath: sha256('token') })).toString('base64url')}.${signature}`,
    bad('proof: bad signature')
  ],
  'a signature in another spelling': [`${head}.${body}.${signature}=`, bad('proof: not a JWT')],
  'no claims': [signAnything({ typ: 'dpop+jwt', alg: 'ES256', jwk: client.jwk }, 'WzFd', client.key), bad('no claims')],
  'claims that are no JSON': [signAnything({ typ: 'dpop+jwt', alg: 'ES256', jwk: client.jwk }, 'e30x', client.key), bad('no claims')],
  'claims for something else': [client.proof('token', { claims: { htm: 'GET' } }), bad('htm is not the method')],
  'the ath of another token': [client.proof('another'), bad('ath is not of the access token')]
}
for (const [what, [proof, reason]] of Object.entries(refused)) {
  t.test(`EX-20: ${what} is refused`, async (t) => {
    t.equal(refusal(() => verify(proof)), reason)
  })
}

t.test('a proof is answered with what it says and who signed it', async (t) => {
  t.strictSame(verify(client.proof('token', { claims: { jti: 'one', nonce: 'n' } })),
    { jti: 'one', iat: NOW, nonce: 'n', thumbprint: client.thumbprint })
  t.match(verify(client.proof('token', { header: { typ: 'application/DPoP+JWT' } })), { thumbprint: client.thumbprint })
})

t.test('what else the header names means nothing', async (t) => {
  const proof = headed({ kid: '../../etc/passwd', jku: 'https://evil.example', x5u: 'https://evil.example', x5c: ['a'] })

  t.match(verify(proof), { thumbprint: client.thumbprint })
})

for (const algorithm of ['ES256', 'ES384', 'ES512', 'RS256', 'PS256', 'EdDSA'] satisfies SignatureAlgorithm[]) {
  t.test(`${algorithm} as jose signs it is verified where it is listed`, async (t) => {
    const { publicKey, privateKey } = await generateKeyPair(algorithm)
    const proof = await new SignJWT({ jti: 'a', htm: 'POST', htu: URI, iat: NOW })
      .setProtectedHeader({ typ: 'dpop+jwt', alg: algorithm, jwk: await exportJWK(publicKey) }).sign(privateKey)

    t.match(verify(proof, { accessTokenHash: null, thumbprint: null }, { algorithms: [algorithm] }), { jti: 'a' })
    t.equal(refusal(() => verify(proof, {}, { algorithms: [] })), bad('proof: wrong algorithm'))
  })
}

t.test('without a token it may be any key, if it is one and signed', async (t) => {
  const free = { accessTokenHash: null, thumbprint: null }
  const jwk = small.publicKey.export({ format: 'jwk' })
  const weak = signAnything({ typ: 'dpop+jwt', alg: 'RS256', jwk }, { jti: 'a', htm: 'POST', htu: URI, iat: NOW },
    { algorithm: 'RS256', privateKey: small.privateKey })

  t.equal(verify(thief.proof(null), free).thumbprint, thief.thumbprint)
  t.equal(refusal(() => verify(headed({ jwk: { ...client.jwk, x: client.jwk.y } }), free)), bad('no public key'))
  t.equal(refusal(() => verify(weak, free)), bad('proof: weak key'))
})

t.test('where a nonce is asked for, only a good one passes, and the answer is another than for a bad proof', async (t) => {
  const asked: Partial<ProofRules> = { isGoodNonce: (nonce, now) => nonce === 'good' && now === NOW }

  t.equal(refusal(() => verify(client.proof('token'), {}, asked)), 'use_dpop_nonce: no nonce')
  t.equal(refusal(() => verify(client.proof('token', { claims: { nonce: 'old' } }), {}, asked)), 'use_dpop_nonce: nonce not good any more')
  t.equal(verify(client.proof('token', { claims: { nonce: 'good' } }), {}, asked).nonce, 'good')
})

t.test('what goes wrong besides the proof is not made an error of it', async (t) => {
  const algorithms = Object.assign([], { find () { throw new RangeError('broken') } })

  t.throws(() => verify(client.proof('token'), {}, { algorithms }), { name: 'RangeError' })
})
