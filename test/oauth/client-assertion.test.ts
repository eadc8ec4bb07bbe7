import { createHmac } from 'node:crypto'
import { CompactSign, exportJWK, generateKeyPair } from 'jose'
import t from 'tap'
import { createSigningKey } from '../../lib/crypto/signing-key.js'
import {
  assertClientAssertion, assertionRules, readClientAssertion, type AssertionRules
} from '../../lib/oauth/client-assertion.js'
import { createClientKeys } from '../../lib/oauth/client-keys.js'
import { memoryStore } from '../../lib/stores/memory.js'
import { InvalidTokenError } from '../../lib/tokens/errors.js'
import type { Client, ClientMetadata } from '../../types/oauth.js'
import { assertionClient, type AssertionChanges } from '../helpers/assertion-client.js'
import { ISSUER, PUBLIC_CLIENT, START } from '../helpers/token-context.js'

const TOKEN = `${ISSUER}/token`
const job = await assertionClient({ clientId: 'job', audience: ISSUER, now: () => START })
const stranger = await createSigningKey('ES256')

const rulesOf = (on: boolean, records = memoryStore()): AssertionRules => assertionRules({
  issuer: ISSUER,
  endpoints: [TOKEN],
  leniencies: { assertionAudience: on, assertionReuse: on },
  keys: createClientKeys({}),
  records,
  tenant: 'default'
})
const strict = rulesOf(false)
const lenient = rulesOf(true)

const clientOf = (metadata: Partial<ClientMetadata> = {}): Client => ({
  clientId: 'job',
  metadata: { ...PUBLIC_CLIENT, token_endpoint_auth_method: 'private_key_jwt', jwks: job.jwks, ...metadata },
  secretDigests: [],
  authenticationMethods: ['private_key_jwt'],
  origin: 'static',
  issuedAt: 0
})

async function show (text: string, { client = clientOf(), rules = strict, now = START } = {}) {
  return await assertClientAssertion(readClientAssertion(text), client, { rules, now })
}

const refusals: Readonly<Record<string, readonly [AssertionChanges, string]>> = {
  'another issuer': [{ claims: { iss: 'other' } }, 'wrong issuer'],
  'no issuer': [{ claims: { iss: undefined } }, 'wrong issuer'],
  'another subject': [{ claims: { sub: 'other' } }, 'of another client'],
  'no subject': [{ claims: { sub: undefined } }, 'no sub'],
  'an empty subject': [{ claims: { sub: '' } }, 'malformed sub'],
  'another audience': [{ claims: { aud: 'https://other.example' } }, 'wrong audience'],
  'no audience': [{ claims: { aud: undefined } }, 'wrong audience'],
  'no audience in a list': [{ claims: { aud: [] } }, 'wrong audience'],
  'an audience in a list in a list': [{ claims: { aud: [[ISSUER]] } }, 'wrong audience'],
  'a second audience': [{ claims: { aud: [ISSUER, 'https://other.example'] } }, 'several audiences'],
  'no expiry': [{ claims: { exp: undefined } }, 'no exp'],
  'an expiry that is a text': [{ claims: { exp: '1800000000' } }, 'malformed exp'],
  'an expiry that was': [{ claims: { exp: START - 30 } }, 'expired'],
  'an expiry more than ten minutes away': [{ claims: { exp: START + 631 } }, 'good for too long'],
  'a beginning that is to come': [{ claims: { nbf: START + 31 } }, 'not good yet'],
  'a birth that is to come': [{ claims: { iat: START + 31 } }, 'not good yet'],
  'a birth that is no time': [{ claims: { iat: {} } }, 'malformed iat'],
  'the key of somebody else': [{ by: stranger }, 'bad signature'],
  'the name of no key': [{ header: { kid: 'two' } }, 'unknown key'],
  'the type of an access token': [{ header: { typ: 'at+jwt' } }, 'wrong type'],
  'the type of a DPoP proof': [{ header: { typ: 'dpop+jwt' } }, 'wrong type'],
  'the type of an ID-JAG': [{ header: { typ: 'oauth-id-jag+jwt' } }, 'wrong type'],
  'alg none': [{ header: { alg: 'none' } }, 'wrong algorithm'],
  'an algorithm of another size': [{ header: { alg: 'ES384' } }, 'wrong algorithm'],
  'the algorithm of another key': [{ header: { alg: 'RS256' } }, 'unknown key'],
  'an extension': [{ header: { crit: ['b64'], b64: false } }, 'unknown crit'],
  'no jti': [{ claims: { jti: undefined } }, 'no jti'],
  'a jti that is a number': [{ claims: { jti: 1 } }, 'malformed jti']
}

for (const [name, [changes, reason]] of Object.entries(refusals)) {
  t.test(`an assertion with ${name} is refused`, async (t) => {
    await t.rejects(show(job.assertion(changes)), new InvalidTokenError(reason))
  })
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

t.test('what is no assertion at all is refused', async (t) => {
  const [header, , signature] = job.assertion().split('.')
  for (const text of ['', 'a.b', 'nonsense', `${header}.${encode([])}.${signature}`, `${header}..${signature}`]) {
    await t.rejects(show(text), InvalidTokenError)
  }
})

t.test('the public key is no secret of HS256', async (t) => {
  const pem = String(job.key.publicKey.export({ format: 'pem', type: 'spki' }))
  const [, claims] = job.assertion().split('.')
  const text = `${encode({ alg: 'HS256', kid: 'one' })}.${claims}`
  const forged = `${text}.${createHmac('sha256', pem).update(text).digest('base64url')}`

  await t.rejects(show(forged), new InvalidTokenError('wrong algorithm'))
})

t.test('keys come from the registration, whatever the header brings (PX-17)', async (t) => {
  const own = stranger.publicKey.export({ format: 'jwk' })
  for (const header of [
    { jwk: own, kid: undefined }, { jku: 'https://evil.example/jwks' }, { x5u: 'https://evil.example/x5u' }, { x5c: ['MIIC'] }
  ]) {
    await t.rejects(show(job.assertion({ header, by: stranger })), new InvalidTokenError('bad signature'))
  }
})

t.test('a good one is taken, also with the type of rfc7523bis, without one, and with one audience in a list', async (t) => {
  for (const changes of [
    {}, { header: { typ: 'client-authentication+jwt' } }, { header: { typ: undefined, kid: undefined } },
    { claims: { aud: [ISSUER] } }, { claims: { exp: START + 630, iat: undefined } }, { claims: { exp: START - 29 } }
  ]) {
    await t.resolves(show(job.assertion(changes)))
  }
})

for (const algorithm of ['ES256', 'RS256', 'PS256', 'EdDSA'] as const) {
  t.test(`${algorithm} signs it`, async (t) => {
    const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true })
    const client = clientOf({ jwks: { keys: [{ ...await exportJWK(publicKey) }] } })
    const claims = { iss: 'job', sub: 'job', aud: ISSUER, exp: START + 60, jti: algorithm }
    const text = await new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader({ alg: algorithm }).sign(privateKey)

    await t.resolves(show(text, { client }))
  })
}

t.test('a client that registered an algorithm is held to it', async (t) => {
  await t.resolves(show(job.assertion(), { client: clientOf({ token_endpoint_auth_signing_alg: 'ES256' }) }))
  await t.rejects(show(job.assertion(), { client: clientOf({ token_endpoint_auth_signing_alg: 'PS256' }) }),
    new InvalidTokenError('not the registered algorithm'))
})

t.test('a client without keys is nobody', async (t) => {
  const { jwks, ...metadata } = clientOf().metadata
  await t.rejects(show(job.assertion(), { client: { ...clientOf(), metadata } }), new InvalidTokenError('unknown key'))
})

t.test('other names of this server are its issuer only by leniency (EX-3)', async (t) => {
  for (const aud of [`${ISSUER}/`, TOKEN]) {
    const text = job.assertion({ claims: { aud } })
    t.same(await show(text, { rules: lenient }), ['assertionAudience'])
    await t.rejects(show(text), new InvalidTokenError('wrong audience'))
  }
  for (const aud of [`${ISSUER}//`, `${TOKEN}/`, `${ISSUER}/authorize`, 'https://AS.example']) {
    await t.rejects(show(job.assertion({ claims: { aud } }), { rules: lenient }), new InvalidTokenError('wrong audience'))
  }
})

t.test('an assertion is good once, or until it expires by leniency (EX-4)', async (t) => {
  const text = job.assertion()
  const all = await Promise.allSettled(Array.from({ length: 5 }, () => show(text)))

  t.equal(all.filter(({ status }) => status === 'fulfilled').length, 1)
  await t.rejects(show(text, { now: START + 329 }), new InvalidTokenError('used before'))
  await t.rejects(show(text, { now: START + 330 }), new InvalidTokenError('expired'))
  t.same(await show(text, { rules: lenient }), [])
  t.same(await show(text, { rules: lenient }), ['assertionReuse'])
  t.same(await show(job.assertion({ claims: { jti: undefined } }), { rules: lenient }), ['assertionReuse'])
})

t.test('strangers fill no store with assertions, and nobody else is turned away for them', async (t) => {
  const records = memoryStore()
  const [held, free] = [rulesOf(false, records), rulesOf(true, records)]
  const client: Client = { ...clientOf(), origin: 'dynamic' }
  const quota = { tenant: 'default', kind: 'client-assertion-quota', id: 'strangers' }
  await records.increment(quota, { by: 99_999, window: 660 }, START)
  const again = job.assertion()
  t.same(await show(again, { client, rules: held }), [])

  await t.rejects(show(job.assertion(), { client, rules: held }), { code: 'too_many_requests' })
  t.same(await show(again, { client, rules: free }), [])
  t.same(await show(job.assertion(), { rules: held }), [])
  t.equal((await records.list({ tenant: 'default', kind: 'client-assertion', limit: 10 }, START)).records.length, 2)
  t.same(await show(job.assertion({ claims: { exp: START + 900 } }), { client, rules: held, now: START + 660 }), [])
})

t.test('two clients may make up the same jti', async (t) => {
  const other = await assertionClient({ clientId: 'other', audience: ISSUER, now: () => START })
  const claims = { jti: 'the same' }

  await t.resolves(show(job.assertion({ claims })))
  await t.resolves(show(other.assertion({ claims }), { client: { ...clientOf({ jwks: other.jwks }), clientId: 'other' } }))
})

t.test('one that is refused uses nothing up', async (t) => {
  const claims = { jti: 'not used' }
  await t.rejects(show(job.assertion({ claims, by: stranger })), InvalidTokenError)

  await t.resolves(show(job.assertion({ claims })))
})
